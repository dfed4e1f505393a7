// DPDK's environment abstraction layer, started for one relay: lcores, memory and the devices that
// the configuration names, nothing else. Several relays can run on one machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctrl/config/config.h"
#include "ctrl/host/eal_log.h"

namespace wirelay::ctrl {

/// EAL's command line for a configuration. Lcore 0 is the control thread, lcore i + 1 worker i.
std::vector<std::string> eal_arguments(const Config& config, bool huge_pages);

inline unsigned lcore_of_worker(unsigned worker) { return worker + 1; }

class Eal {
 public:
  /// Throws Refused with what is missing and how to provide it. One in the life of a process: DPDK
  /// cannot start twice.
  Eal(const Config& config, bool verbose);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  [[nodiscard]] bool huge_pages() const noexcept { return huge_pages_; }

  /// The DPDK port number of each configured port, in their order.
  [[nodiscard]] const std::vector<uint16_t>& ports() const noexcept { return ports_; }

 private:
  void find_ports(const Config& config);
  const bool huge_pages_;
  EalLog log_;
  std::vector<uint16_t> ports_;
};

}  // namespace wirelay::ctrl
