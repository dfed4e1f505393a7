// Making many peers and their sessions.
#include "tests/ctrl/protocol/many_peers.h"

#include <utility>
#include <vector>

namespace wirelay::test {

namespace {

crypto::TransportKeys random_keys(uint32_t index) {
  crypto::TransportKeys keys;
  crypto::random_bytes({keys.send.data(), 32});
  crypto::random_bytes({keys.receive.data(), 32});
  keys.local_index = index;
  keys.remote_index = index ^ 0x5555;
  return keys;
}

}  // namespace

void add_peers(Parts& parts, uint32_t peers) {
  for (uint32_t i = 0; i < peers; ++i) {
    ctrl::PeerSpec spec;
    crypto::random_bytes(spec.public_key);
    spec.endpoint = dataplane::Endpoint{*dataplane::parse_ip("203.0.113.7"),
                                        static_cast<uint16_t>(1 + i % 65535)};
    const uint32_t peer = parts.ctx.peer_writer.add(0, {}).value();
    parts.ctx.book->add(peer, spec, true);
    parts.paths.set_configured(peer);
  }
}

void connect_peers(Parts& parts, uint32_t peers) {
  std::vector<uint32_t> order(peers);
  for (uint32_t i = 0; i < peers; ++i) order[i] = i;
  for (uint32_t i = peers; i > 1; --i) std::swap(order[i - 1], order[crypto::random_u32() % i]);
  for (const uint32_t peer : order) {
    const uint32_t index = parts.ctx.session_writer.reserve(peer, 0).value();
    parts.sessions.begin_initiated(peer, random_keys(index));
  }
}

}  // namespace wirelay::test
