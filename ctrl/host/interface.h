// Interfaces of the kernel that ports send by. They are not the relay's: it takes their MTU as it
// is, and leaves them as it found them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <net/if.h>

#include "ctrl/base/device.h"
#include "ctrl/config/config.h"

namespace wirelay::ctrl {

/// The interface that a device shares with the kernel: that of af_packet and af_xdp, the far end of
/// a tap, that of a NIC whose kernel driver stays (mlx5). None: the device is the relay's alone.
std::optional<std::string> interface_of(const Device& device);

/// None when there is no interface of that name.
std::optional<uint32_t> interface_mtu(const std::string& name);

/// Up, and with a link.
bool interface_runs(const std::string& name);

/// One question or order about an interface, an ioctl on a socket; false when the kernel refuses
/// it.
bool interface_call(const std::string& name, unsigned long what, ifreq& request) noexcept;

/// The largest IP packet of a port: as configured, else what its interface has, else 1,500.
uint16_t mtu_of(const PortConfig& port);

/// An MTU that the port's interface, or the frames that its device names, do not have. `path`: of
/// the port within the configuration file.
void check_mtu(const PortConfig& port, const std::string& path, std::vector<Problem>& problems);

/// Of all ports.
uint16_t largest_mtu(const Config& config);

/// An interface while a port uses it.
class BorrowedInterface {
 public:
  /// Asks for all multicast, which neighbour discovery needs, in a way that ends with this object,
  /// and with the process however that ends.
  explicit BorrowedInterface(std::string name);
  /// Leaves the interface as it was found.
  ~BorrowedInterface();
  BorrowedInterface(BorrowedInterface&& other) noexcept;
  BorrowedInterface& operator=(BorrowedInterface&&) = delete;
  BorrowedInterface(const BorrowedInterface&) = delete;
  BorrowedInterface& operator=(const BorrowedInterface&) = delete;

  /// Sets back what a driver has changed by itself: starting one ends promiscuous mode.
  void restore() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// False: neighbour discovery may not work.
  [[nodiscard]] bool hears_multicast() const noexcept { return socket_ >= 0; }

 private:
  std::string name_;
  short flags_ = 0;  // as found
  int socket_ = -1;  // holds the membership of all multicast
};

}  // namespace wirelay::ctrl
