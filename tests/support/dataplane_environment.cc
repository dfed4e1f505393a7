// DPDK without huge pages, devices or privileges, for the layers above crypto.
#include <array>
#include <cstdlib>
#include <iostream>

#include <rte_eal.h>

#include "crypto/keys.h"
#include "tests/support/test_environment.h"

namespace wirelay::test {

void start_environment(const char* program) {
  crypto::init_crypto();
  // EAL takes its arguments as main() does, and may reorder them.
  std::array<const char*, 9> arguments = {program,
                                          "--no-huge",
                                          "-m",
                                          "512",
                                          "--no-pci",
                                          "--in-memory",
                                          "--no-telemetry",
                                          "--lcores=0",
                                          "--log-level=lib.eal:error"};
  if (rte_eal_init(static_cast<int>(arguments.size()), const_cast<char**>(arguments.data())) < 0) {
    std::cerr << "EAL does not start\n";
    std::exit(1);
  }
}

void stop_environment() { rte_eal_cleanup(); }

}  // namespace wirelay::test
