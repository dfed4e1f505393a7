// Wrapping single messages.
#include "tools/relaygen/tunnel_side.h"

#include <cstring>

#include "tools/relaygen/frame.h"

namespace wirelay::relaygen {

uint32_t TunnelSide::frame_bytes(size_t message_bytes) const noexcept {
  return udp_payload_offset(remote_.addr.is_v4()) + static_cast<uint32_t>(message_bytes);
}

void TunnelSide::write(uint8_t* frame, const dataplane::Endpoint& from,
                       std::span<const uint8_t> message) const noexcept {
  const bool v4 = remote_.addr.is_v4();
  std::memcpy(frame + udp_payload_offset(v4), message.data(), message.size());
  write_ethernet(frame, port_.mac(), port_.next_hop(v4), v4);
  write_ip_udp(frame + kEthernetBytes, from, remote_, static_cast<uint32_t>(message.size()));
}

void TunnelSide::send(const dataplane::Endpoint& from, std::span<const uint8_t> message) {
  Frame frame(frame_bytes(message.size()));
  write(frame.data(), from, message);
  port_.send_copy(frame);
}

}  // namespace wirelay::relaygen
