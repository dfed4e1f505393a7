// Pages in the order of names.
#include "ctrl/wg/peer_pages.h"

#include <iterator>

#include <fmt/format.h>

#include "ctrl/wg/request.h"

namespace wirelay::ctrl::wg {

namespace {

constexpr size_t kPeersOfPage = 200;

}  // namespace

bool PeerPage::collect(const RelayFace& relay, const Slice& slice) {
  if (!std::exchange(begun_, true)) {
    for (PeerPtr& peer : relay.registry().peers_after(after_, kPeersOfPage)) {
      peers_.emplace_back(std::move(peer), PeerStatus{});
    }
  }
  while (found_ < peers_.size()) {
    auto& [peer, status] = peers_[found_++];
    status = relay.peer_status(peer->name);
    if (slice.over()) break;
  }
  return found_ == peers_.size();
}

std::string PeerPage::text() const {
  std::string text;
  auto out = std::back_inserter(text);
  for (const auto& [peer, status] : peers_) {
    fmt::format_to(out, "public_key={}\n", to_hex(peer->public_key));
    if (peer->preshared_key) {
      fmt::format_to(out, "preshared_key={}\n", to_hex(peer->preshared_key->bytes()));
    }
    if (status.endpoint) fmt::format_to(out, "endpoint={}\n", to_string(*status.endpoint));
    fmt::format_to(out,
                   "last_handshake_time_sec={}\nlast_handshake_time_nsec={}\ntx_bytes={}\n"
                   "rx_bytes={}\npersistent_keepalive_interval={}\n",
                   status.last_handshake_unix_ns / kNsPerSecond,
                   status.last_handshake_unix_ns % kNsPerSecond, status.traffic.tx_bytes,
                   status.traffic.rx_bytes, peer->persistent_keepalive);
    for (const dataplane::Prefix& prefix : peer->allowed_ips) {
      fmt::format_to(out, "allowed_ip={}\n", to_string(prefix));
    }
    text += "protocol_version=1\n";
  }
  return text;
}

}  // namespace wirelay::ctrl::wg
