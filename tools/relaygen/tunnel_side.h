// Sending single WireGuard messages from a client to the far end.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/ip.h"
#include "tools/relaygen/port.h"

namespace wirelay::relaygen {

class TunnelSide {
 public:
  TunnelSide(Port& port, const dataplane::Endpoint& remote) noexcept
      : port_(port), remote_(remote) {}

  /// The Ethernet frame with a message of so many bytes.
  [[nodiscard]] uint32_t frame_bytes(size_t message_bytes) const noexcept;
  /// Fills that frame.
  void write(uint8_t* frame, const dataplane::Endpoint& from,
             std::span<const uint8_t> message) const noexcept;

  /// A UDP packet with `message`; one that the port does not take is lost.
  void send(const dataplane::Endpoint& from, std::span<const uint8_t> message);

  [[nodiscard]] const dataplane::Endpoint& remote() const noexcept { return remote_; }
  [[nodiscard]] Port& port() noexcept { return port_; }

 private:
  Port& port_;
  const dataplane::Endpoint remote_;
};

}  // namespace wirelay::relaygen
