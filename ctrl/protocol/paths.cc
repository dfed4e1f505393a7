// Paths are immutable objects; a changed one is swapped in, see PeerWriter::set_path().
#include "ctrl/protocol/paths.h"

#include <cstring>

#include "ctrl/packets/datagram.h"

namespace wirelay::ctrl {

using dataplane::Endpoint;
using dataplane::IpAddr;
using dataplane::PeerPath;

namespace {

bool same(const PeerPath& a, const PeerPath& b) noexcept {
  return a.v6 == b.v6 && a.header_bytes == b.header_bytes && a.port == b.port &&
         a.adjacency == b.adjacency && a.mtu == b.mtu &&
         std::memcmp(a.header, b.header, a.header_bytes) == 0;
}

}  // namespace

std::optional<PeerPath> Paths::make(const Endpoint& remote, const IpAddr* local,
                                    const uint16_t* port) {
  const auto hop = ctx_.sender.route(remote.addr, local, port);
  if (!hop || hop->local.is_v4() != remote.addr.is_v4()) return std::nullopt;
  return dataplane::make_path({hop->local, ctx_.shared.listen_port}, remote, hop->port,
                              hop->adjacency, hop->mtu);
}

bool Paths::set(uint32_t peer, const PeerPath& path) {
  const PeerPath* old = ctx_.path(peer);
  if (old != nullptr && same(*old, path)) return false;
  ctx_.sender.hold(path.adjacency);
  bool moved = true;
  if (old != nullptr) {
    moved = dataplane::path_remote(*old) != dataplane::path_remote(path);
    ctx_.sender.release(old->adjacency);
  }
  ctx_.peer_writer.set_path(peer, &path);
  return moved;
}

bool Paths::set_configured(uint32_t peer) {
  const Endpoint& endpoint = ctx_.book->identity(peer).endpoint;
  if (endpoint.port == 0) return false;
  const auto path = make(endpoint, nullptr, nullptr);
  if (path) set(peer, *path);
  return path.has_value();
}

bool Paths::refresh(uint32_t peer) {
  const PeerPath* old = ctx_.path(peer);
  if (old == nullptr) return set_configured(peer);
  const IpAddr local = dataplane::path_local(*old).addr;
  const auto path = make(dataplane::path_remote(*old), &local, &old->port);
  if (path) set(peer, *path);
  return true;
}

void Paths::forget(uint32_t peer) {
  release(peer);
  ctx_.peer_writer.set_path(peer, nullptr);
}

void Paths::release(uint32_t peer) {
  if (const PeerPath* old = ctx_.path(peer)) ctx_.sender.release(old->adjacency);
}

bool Paths::send(const PeerPath& path, std::span<const uint8_t> message) {
  rte_mbuf* packet = make_datagram(ctx_.shared.pool, path, message);
  if (packet == nullptr) {
    ++ctx_.counters.no_memory;
    return false;
  }
  ctx_.sender.send(packet, path.port, path.adjacency);
  return true;
}

}  // namespace wirelay::ctrl
