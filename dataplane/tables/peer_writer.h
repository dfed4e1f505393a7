// The control thread's side of the peer table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/rcu.h"
#include "dataplane/tables/peer.h"
#include "dataplane/tables/prefix_writer.h"

namespace wirelay::dataplane {

class PeerWriter {
 public:
  PeerWriter(PeerTable& peers, PrefixWriter& prefixes, Rcu& rcu);
  ~PeerWriter();

  /// A new peer of user number `user`, its allowed IPs entered into the prefix table. nullopt when
  /// the peer or the prefix table is full; then nothing is changed.
  std::optional<uint32_t> add(uint32_t user, std::span<const Prefix> allowed);

  /// Replaces the allowed IPs; costs what differs. False when the prefix table is full, and then
  /// nothing is changed.
  bool set_allowed(uint32_t peer, std::span<const Prefix> allowed);

  /// Swaps the path; null forgets it. The old one is freed after the grace period.
  void set_path(uint32_t peer, const PeerPath* copied);

  /// One atomic store: the session that outbound packets are sealed with; 0: none.
  void set_current(uint32_t peer, uint32_t index) noexcept;

  /// Takes the peer and its prefixes away at once; the number is free after the grace period. The
  /// caller retires its sessions.
  void remove(uint32_t peer);

 private:
  void publish_sources(uint32_t peer);
  PeerTable& peers_;
  PrefixWriter& prefixes_;
  Rcu& rcu_;
  std::vector<std::vector<Prefix>> allowed_;  // by peer number
  std::vector<uint32_t> free_;
  uint32_t fresh_ = 0;
};

}  // namespace wirelay::dataplane
