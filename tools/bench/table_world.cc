// Filling tables, see table_world.h.
#include "tools/bench/table_world.h"

#include "crypto/keys.h"

namespace wirelay::bench {

using namespace dataplane;

namespace {

constexpr uint32_t kSpare = 4096;  // entries that updates come and go with, grace period included
constexpr uint64_t kHz = 1'000'000'000;

}  // namespace

TableWorld::TableWorld(uint32_t wanted, uint32_t replay_packets)
    : entries(wanted),
      users(wanted + kSpare, kHz),
      peers(wanted + kSpare),
      prefixes(2 * (wanted + kSpare)),
      sessions(wanted + kSpare, 1, replay_packets) {}

void TableWorld::fill() {
  indices.reserve(entries);
  for (uint32_t n = 0; n < entries; ++n) indices.push_back(connect(add_peer(n)));
}

IpAddr TableWorld::address4(uint32_t n) noexcept {
  const uint8_t bytes[4] = {10, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
                            static_cast<uint8_t>(n)};
  return IpAddr::v4(bytes);
}

IpAddr TableWorld::address6(uint32_t n) noexcept {
  uint8_t bytes[16] = {0xfd};
  for (unsigned i = 0; i < 4; ++i) bytes[15 - i] = static_cast<uint8_t>(n >> 8 * i);
  return IpAddr::v6(bytes);
}

uint32_t TableWorld::add_peer(uint32_t n) {
  const Prefix allowed[] = {{address4(n), 128}, {address6(n), 128}};
  const uint32_t peer = peer_writer.add(n, allowed).value();
  users.reset(n, 1);
  const PeerPath path = make_path({address4(0), 51820}, {address4(n), 51820}, 0, 0, 1500);
  peer_writer.set_path(peer, &path);
  return peer;
}

uint32_t TableWorld::connect(uint32_t peer) {
  crypto::TransportKeys keys;
  keys.local_index = session_writer.reserve(peer, 0).value();
  keys.remote_index = ~keys.local_index;
  crypto::random_bytes({keys.send.data(), keys.send.size()});
  crypto::random_bytes({keys.receive.data(), keys.receive.size()});
  session_writer.publish(keys, UINT64_MAX);
  peer_writer.set_current(peer, keys.local_index);
  return keys.local_index;
}

}  // namespace wirelay::bench
