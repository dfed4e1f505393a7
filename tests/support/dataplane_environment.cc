// DPDK without huge pages, devices or privileges, for the layers above crypto.
#include <array>
#include <cstdlib>
#include <iostream>

#include <sched.h>

#include <rte_eal.h>

#include "crypto/keys.h"
#include "tests/support/test_environment.h"

namespace wirelay::test {

void start_environment(const char* program) {
  crypto::init_crypto();
  cpu_set_t cpus;
  sched_getaffinity(0, sizeof cpus, &cpus);
  // EAL takes its arguments as main() does, and may reorder them.
  std::array<const char*, 10> arguments = {program,
                                           "--no-huge",
                                           "-m",
                                           "512",
                                           "--no-pci",
                                           "--no-shconf",
                                           "--no-telemetry",
                                           "--lcores=0",
                                           "--log-level=lib.eal:error",
                                           "--log-level=user1:warning"};
  if (rte_eal_init(static_cast<int>(arguments.size()), const_cast<char**>(arguments.data())) < 0) {
    std::cerr << "EAL does not start\n";
    std::exit(1);
  }
  // EAL pins the thread that starts it, and whatever that one starts; tests use all processors.
  sched_setaffinity(0, sizeof cpus, &cpus);
}

void stop_environment() { rte_eal_cleanup(); }

}  // namespace wirelay::test
