// DPDK's environment, started for the generator's core and its one or two devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/relaygen/options.h"

namespace wirelay::relaygen {

/// One in the life of a process: DPDK cannot start twice.
class Eal {
 public:
  /// `devices`: PCI addresses, or virtual devices with arguments. `bytes`: what the packet pools
  /// will take. Throws Failure with DPDK's own last words.
  Eal(const EalOptions& options, const std::vector<std::string>& devices, uint64_t bytes);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  [[nodiscard]] bool huge_pages() const noexcept { return huge_pages_; }

  /// The DPDK port of a device. Throws Failure.
  [[nodiscard]] static uint16_t port_of(const std::string& device);

 private:
  bool huge_pages_;
};

}  // namespace wirelay::relaygen
