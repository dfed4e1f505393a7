// Paths are immutable objects; a changed one is swapped in, see PeerWriter::set_path().
#include "ctrl/protocol/paths.h"

#include <algorithm>
#include <cstring>

#include "ctrl/packets/datagram.h"

namespace wirelay::ctrl {

using dataplane::Endpoint;
using dataplane::PeerPath;

namespace {

constexpr int kMostOfTick = 64;  // paths that are tried anew; other timers wait meanwhile

bool same(const PeerPath& a, const PeerPath& b) noexcept {
  return a.v6 == b.v6 && a.header_bytes == b.header_bytes && a.port == b.port &&
         a.adjacency == b.adjacency && a.mtu == b.mtu &&
         std::memcmp(a.header, b.header, a.header_bytes) == 0;
}

}  // namespace

std::optional<PeerPath> Paths::make(const Endpoint& remote, const Endpoint* local,
                                    const uint16_t* port) {
  const auto hop = ctx_.sender.route(remote.addr, local == nullptr ? nullptr : &local->addr, port);
  if (!hop || hop->local.is_v4() != remote.addr.is_v4()) return std::nullopt;
  const uint16_t from = local == nullptr ? ctx_.shared.listen_ports.front() : local->port;
  return dataplane::make_path({hop->local, from}, remote, hop->port, hop->adjacency, hop->mtu);
}

bool Paths::set(uint32_t peer, const PeerPath& wanted, uint64_t placed) {
  const PeerPath* old = ctx_.path(peer);
  const Endpoint remote = dataplane::path_remote(wanted);
  PeerPath path = wanted;
  path.mtu = narrow_.mtu(peer, remote.addr, path.mtu);
  if (old != nullptr && same(*old, path)) {
    ctx_.peer_writer.place(peer, placed);
    return false;
  }
  ctx_.sender.hold(path.adjacency);
  bool moved = true;
  if (old != nullptr) {
    moved = dataplane::path_remote(*old) != remote;
    release(peer);
  }
  peers_.emplace(remote, peer);
  ctx_.peer_writer.set_path(peer, &path, placed);
  return moved;
}

void Paths::move(uint32_t peer, const PeerPath& path, uint64_t stamp) {
  const PeerPath* old = ctx_.path(peer);
  const auto from = old == nullptr ? std::nullopt : std::optional(dataplane::path_remote(*old));
  ctx_.shared.known_sources.note(dataplane::path_remote(path).addr, ctx_.now.tsc);
  if (!set(peer, path, stamp)) return;
  ++ctx_.counters.roamed;
  const bool connected = (ctx_.book->state(peer).flags & kConnected) != 0;
  if (!from || !connected || ctx_.observer == nullptr) return;
  ctx_.observer->roamed(peer, *from, dataplane::path_remote(path));
}

void Paths::hear(uint32_t peer, const PeerPath& path) { move(peer, path, ctx_.now.tsc); }

void Paths::follow(uint32_t peer) {
  const auto [stamp, seen] = last_move(peer);
  if (stamp <= ctx_.placed(peer)) return;
  auto path = make(seen.remote, &seen.local, &seen.port);
  if (!path) return;
  // From where it was sent to, whatever the next hop.
  *path = dataplane::make_path(seen.local, seen.remote, path->port, path->adjacency, path->mtu);
  move(peer, *path, stamp);
}

std::optional<Whereabouts> Paths::where(uint32_t peer) const {
  const auto [stamp, seen] = last_move(peer);
  if (stamp > ctx_.placed(peer)) return Whereabouts{seen.remote, seen.local};
  const PeerPath* path = ctx_.path(peer);
  if (path == nullptr) return std::nullopt;
  return Whereabouts{dataplane::path_remote(*path), dataplane::path_local(*path)};
}

Paths::Move Paths::last_move(uint32_t peer) const {
  const PeerState& s = ctx_.book->state(peer);
  Move latest;
  for (const uint32_t index : {s.current, s.next, s.previous}) {
    const dataplane::Session* session = ctx_.shared.sessions.find(index);
    if (session == nullptr || is_left(s, index)) continue;
    const Move move = ctx_.shared.sessions.last_move(*session);
    if (move.stamp > latest.stamp) latest = move;
  }
  return latest;
}

/// The peer uses a newer session than `index`: what still comes with this one was sent before.
bool Paths::is_left(const PeerState& s, uint32_t index) const {
  if (index != s.previous) return false;
  const dataplane::Session* session = ctx_.shared.sessions.find(s.current);
  return session != nullptr && session->rx_tsc.load(std::memory_order_relaxed) != 0;
}

uint64_t Paths::from_now_on(uint32_t peer) const {
  return std::max(ctx_.now.tsc, last_move(peer).stamp);
}

bool Paths::set_configured(uint32_t peer) {
  const Endpoint& endpoint = ctx_.book->identity(peer).endpoint;
  if (endpoint.port == 0) return false;
  const auto path = make(endpoint, nullptr, nullptr);
  if (path) set(peer, *path, from_now_on(peer));
  return path.has_value();
}

void Paths::resume(uint32_t peer, const Whereabouts& where) {
  const bool same_port = std::ranges::find(ctx_.shared.listen_ports, where.local.port) !=
                         ctx_.shared.listen_ports.end();
  auto path = same_port ? make(where.remote, &where.local, nullptr) : std::nullopt;
  if (!path) path = make(where.remote, nullptr, nullptr);
  if (!path) return;
  ctx_.shared.known_sources.note(where.remote.addr, ctx_.now.tsc);
  set(peer, *path, from_now_on(peer));
}

bool Paths::refresh(uint32_t peer) {
  follow(peer);
  const PeerPath* old = ctx_.path(peer);
  if (old == nullptr) return set_configured(peer);
  const Endpoint local = dataplane::path_local(*old);
  const auto path = make(dataplane::path_remote(*old), &local, &old->port);
  if (path) set(peer, *path, ctx_.placed(peer));
  return true;
}

void Paths::forget(uint32_t peer) {
  release(peer);
  ctx_.peer_writer.set_path(peer, nullptr, from_now_on(peer));
}

void Paths::release(uint32_t peer) {
  const PeerPath* old = ctx_.path(peer);
  if (old == nullptr) return;
  ctx_.sender.release(old->adjacency);
  const auto there = peers_.equal_range(dataplane::path_remote(*old));
  const auto is_it = [peer](const auto& entry) { return entry.second == peer; };
  const auto found = std::find_if(there.first, there.second, is_it);
  if (found != there.second) peers_.erase(found);
}

void Paths::remove(uint32_t peer) {
  release(peer);
  narrow_.forget(peer);
}

void Paths::narrow(const PathReport& report) {
  const auto there = peers_.equal_range(report.remote);
  const auto is_it = [&](const auto& entry) { return sends_with(entry.second, report.receiver); };
  const auto found = std::find_if(there.first, there.second, is_it);
  if (found == there.second) return;
  const uint32_t peer = found->second;
  const PeerPath* path = ctx_.path(peer);
  if (path == nullptr || dataplane::path_local(*path) != report.local || report.mtu >= path->mtu) {
    return;
  }
  const uint64_t until = ctx_.now.tsc + ctx_.seconds(NarrowPaths::kSeconds);
  if (!narrow_.learn(peer, report.remote.addr, report.mtu, until)) return;
  ++ctx_.counters.narrowed;
  refresh(peer);
}

void Paths::tick() {
  for (int left = kMostOfTick; left != 0; --left) {
    const auto peer = narrow_.expire(ctx_.now.tsc);
    if (!peer) return;
    if (ctx_.book->present(*peer)) refresh(*peer);
  }
}

bool Paths::sends_with(uint32_t peer, uint32_t remote_index) const {
  const PeerState& s = ctx_.book->state(peer);
  for (const uint32_t index : {s.current, s.next, s.previous}) {
    const dataplane::Session* session = ctx_.shared.sessions.find(index);
    if (session != nullptr && session->remote_index == remote_index) return true;
  }
  return false;
}

bool Paths::send(const PeerPath& path, std::span<const uint8_t> message, uint8_t traffic_class) {
  rte_mbuf* packet = make_datagram(ctx_.shared.pool, path, message, traffic_class);
  if (packet == nullptr) {
    ++ctx_.counters.no_memory;
    return false;
  }
  ctx_.sender.send(packet, path.port, path.adjacency);
  return true;
}

}  // namespace wirelay::ctrl
