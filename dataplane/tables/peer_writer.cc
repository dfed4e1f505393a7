// Adding, changing and removing peers.
#include "dataplane/tables/peer_writer.h"

#include <algorithm>
#include <iterator>

#include "dataplane/tables/commit_ahead.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::dataplane {

namespace {

std::vector<Prefix> sorted(std::span<const Prefix> prefixes) {
  std::vector<Prefix> out(prefixes.begin(), prefixes.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

/// What `a` has and `b` has not; both sorted.
std::vector<Prefix> difference(std::span<const Prefix> a, std::span<const Prefix> b) {
  std::vector<Prefix> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

RouteTarget target_of(uint32_t peer) noexcept { return RouteTarget::make(RouteKind::kPeer, peer); }

/// Writes the first address of each family into the record, where no worker looks at them now, and
/// returns the bits of source_check that are then true.
uint8_t write_sources(Peer& record, std::span<const Prefix> allowed) noexcept {
  constexpr uint8_t kHost = 128;
  uint8_t check = 0;
  for (const Prefix& prefix : allowed) {
    const uint8_t family = prefix.is_v4() ? kSource4 : kSource6;
    if (prefix.length != kHost || (check & family) != 0) {
      check |= kSourceTable;
      continue;
    }
    if (family == kSource4) {
      record.source4 = prefix.addr.v4_be();
    } else {
      std::copy(prefix.addr.bytes.begin(), prefix.addr.bytes.end(), record.source6);
    }
    check |= family;
  }
  return check;
}

}  // namespace

PeerWriter::PeerWriter(PeerTable& peers, PrefixWriter& prefixes, Rcu& rcu)
    : peers_(peers), prefixes_(prefixes), rcu_(rcu) {}

std::optional<uint32_t> PeerWriter::add(uint32_t user, std::span<const Prefix> allowed) {
  if (free_.empty()) {
    if (records_.size() == peers_.capacity()) return std::nullopt;
    free_.push_back(static_cast<uint32_t>(records_.size()));
    records_.emplace_back();
    reached(peers_.records_, free_.back());
  }
  const uint32_t number = free_.back();
  free_.pop_back();
  Record& record = records_[number];
  record.allowed = sorted(allowed);
  ++record.generation;

  // Complete before the first prefix makes it known to workers.
  Peer& peer = peers_[number];
  peer.current.store(0, kRelaxed);
  peer.next.store(0, kRelaxed);
  peer.user = user;
  peer.path.store(nullptr, kRelaxed);
  peer.placed.store(0, kRelaxed);
  peer.source_check.store(write_sources(peer, record.allowed), kRelaxed);
  peer.alive.store(true, kRelease);
  if (!enter(number, record.allowed, {})) {
    record.allowed.clear();
    remove(number);
    return std::nullopt;
  }
  return number;
}

bool PeerWriter::set_allowed(uint32_t peer, std::span<const Prefix> allowed) {
  std::vector<Prefix> wanted = sorted(allowed);
  Record& record = records_[peer];
  if (wanted == record.allowed) return true;
  if (!enter(peer, wanted, record.allowed)) return false;
  take_out(peer, record.allowed, wanted);
  record.allowed = std::move(wanted);
  change_sources(peer);
  return true;
}

void PeerWriter::set_path(uint32_t peer, const PeerPath* copied, uint64_t placed) {
  swap_path(peer, copied);
  place(peer, placed);
}

void PeerWriter::place(uint32_t peer, uint64_t placed) noexcept {
  peers_[peer].placed.store(placed, kRelease);
}

void PeerWriter::swap_path(uint32_t peer, const PeerPath* copied) {
  PeerPath* fresh = nullptr;
  if (copied != nullptr) {
    fresh = new_path(peer);
    *fresh = *copied;
  }
  // Paths in the table are ours, and constant only for workers.
  auto* old = const_cast<PeerPath*>(peers_[peer].path.exchange(fresh, std::memory_order_acq_rel));
  if (old != nullptr) rcu_.defer([this, peer, old] { release_path(peer, old); });
}

void PeerWriter::set_current(uint32_t peer, uint32_t index) noexcept {
  peers_[peer].current.store(index, kRelease);
}

void PeerWriter::set_next(uint32_t peer, uint32_t index) noexcept {
  peers_[peer].next.store(index, kRelease);
}

void PeerWriter::remove(uint32_t peer) {
  Peer& entry = peers_[peer];
  Record& record = records_[peer];
  entry.alive.store(false, kRelease);
  entry.current.store(0, kRelease);
  entry.next.store(0, kRelease);
  set_path(peer, nullptr);
  take_out(peer, record.allowed, {});
  record.allowed = {};
  ++record.generation;
  rcu_.defer([this, peer] { free_.push_back(peer); });
}

bool PeerWriter::enter(uint32_t peer, std::span<const Prefix> wanted,
                       std::span<const Prefix> present) {
  const std::vector<Prefix> added = difference(wanted, present);
  std::vector<std::optional<RouteTarget>> before;
  for (const Prefix& prefix : added) {
    before.push_back(prefixes_.get(prefix));
    if (prefixes_.set(prefix, target_of(peer))) continue;
    for (size_t i = 0; i + 1 < before.size(); ++i) {
      if (before[i]) {
        prefixes_.set(added[i], *before[i]);
      } else {
        prefixes_.remove(added[i]);
      }
    }
    return false;
  }
  return true;
}

void PeerWriter::take_out(uint32_t peer, std::span<const Prefix> present,
                          std::span<const Prefix> wanted) {
  for (const Prefix& prefix : difference(present, wanted)) {
    if (prefixes_.get(prefix) == target_of(peer)) prefixes_.remove(prefix);
  }
}

void PeerWriter::change_sources(uint32_t peer) {
  const uint32_t generation = ++records_[peer].generation;
  peers_[peer].source_check.store(kSourceTable, kRelease);
  // Of several changes in a row the last one writes: its grace period covers the others' readers.
  rcu_.defer([this, peer, generation] {
    if (records_[peer].generation != generation) return;
    Peer& entry = peers_[peer];
    entry.source_check.store(write_sources(entry, records_[peer].allowed), kRelease);
  });
}

PeerPath* PeerWriter::new_path(uint32_t peer) {
  if (!records_[peer].home_taken) {
    records_[peer].home_taken = true;
    return &peers_.records_[peer].home;
  }
  if (!free_paths_.empty()) {
    PeerPath* path = free_paths_.back();
    free_paths_.pop_back();
    return path;
  }
  if (path_chunks_.empty() || fresh_path_ == peers_.capacity()) {
    path_chunks_.push_back(std::make_unique<LazyArray<PeerPath>>(peers_.capacity()));
    fresh_path_ = 0;
  }
  reached(*path_chunks_.back(), fresh_path_);
  return &(*path_chunks_.back())[fresh_path_++];
}

void PeerWriter::release_path(uint32_t peer, PeerPath* path) {
  if (path != &peers_.records_[peer].home) {
    free_paths_.push_back(path);
    return;
  }
  records_[peer].home_taken = false;
  const PeerPath* elsewhere = peers_[peer].path.load(kRelaxed);
  if (elsewhere != nullptr) swap_path(peer, elsewhere);  // it moves in
}

}  // namespace wirelay::dataplane
