// The service manager that has started the relay, where there is one: what it is told
// (sd_notify(3)). The protocol is a datagram of a few words; libsystemd would be a large library
// for that.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

class ServiceManager {
 public:
  /// As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment say. Without them there is
  /// nobody to tell.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..." as sd_notify(3) has them, a line each.
  /// Never waits; what cannot be sent is not.
  void tell(std::string_view state) const noexcept;

  /// How long it waits for a sign of life before it ends the relay; zero: for ever.
  [[nodiscard]] std::chrono::microseconds patience() const noexcept { return patience_; }

 private:
  int socket_ = -1;
  std::chrono::microseconds patience_{0};
};

}  // namespace wirelay::ctrl
