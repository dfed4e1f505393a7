// The sockets that DPDK's memif driver listens on, made safe around the start of DPDK: the driver
// itself neither sets a mode nor takes away what a killed process left.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "ctrl/base/device.h"

namespace wirelay::ctrl {

/// While this lives, files and sockets that the process makes are its user's alone; behind it, what
/// was made for servers has mode 0600.
class MemifSockets {
 public:
  /// For the servers among `devices` it makes directories that are missing, and removes sockets
  /// that nobody serves any more. What cannot be done the driver will complain of.
  explicit MemifSockets(std::span<const Device> devices);
  ~MemifSockets();
  MemifSockets(const MemifSockets&) = delete;
  MemifSockets& operator=(const MemifSockets&) = delete;

 private:
  std::vector<std::string> paths_;
  mode_t umask_before_;
};

}  // namespace wirelay::ctrl
