// Wrapping single messages.
#include "tools/relaygen/tunnel_side.h"

#include <algorithm>

#include "tools/relaygen/frame.h"

namespace wirelay::relaygen {

void TunnelSide::send(const dataplane::Endpoint& from, std::span<const uint8_t> message) {
  const bool v4 = remote_.addr.is_v4();
  Frame frame(udp_payload_offset(v4) + message.size());
  std::ranges::copy(message, frame.begin() + udp_payload_offset(v4));
  write_ethernet(frame.data(), port_.mac(), port_.next_hop(v4), v4);
  write_ip_udp(frame.data() + kEthernetBytes, from, remote_, static_cast<uint32_t>(message.size()));
  port_.send_copy(frame);
}

}  // namespace wirelay::relaygen
