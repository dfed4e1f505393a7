// The tables of a relay with so many users, each with one connected peer: for bench_tables.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/rcu.h"
#include "dataplane/tables/peer_writer.h"
#include "dataplane/tables/prefix_writer.h"
#include "dataplane/tables/session_writer.h"
#include "dataplane/tables/user.h"

namespace wirelay::bench {

struct TableWorld {
  /// Sized for `entries` users, and some more that updates come and go with.
  TableWorld(uint32_t entries, uint32_t replay_packets);

  /// Users, peers with their addresses and paths, and their sessions; `entries` of each.
  void fill();
  /// Peer number `n`, counted from 0, without a session; returns its number in the table.
  uint32_t add_peer(uint32_t n);
  /// A session for it; returns the receiver index.
  uint32_t connect(uint32_t peer);

  /// The n-th peer's own addresses; the numbers behind `entries` are nobody's.
  static dataplane::IpAddr address4(uint32_t n) noexcept;
  static dataplane::IpAddr address6(uint32_t n) noexcept;

  const uint32_t entries;
  dataplane::Rcu rcu{1};  // one reader
  dataplane::UserTable users;
  dataplane::PeerTable peers;
  dataplane::PrefixTable prefixes;
  dataplane::SessionTable sessions;
  dataplane::PrefixWriter prefix_writer{prefixes, rcu};
  dataplane::PeerWriter peer_writer{peers, prefix_writer, rcu};
  dataplane::SessionWriter session_writer{sessions, rcu};
  std::vector<uint32_t> indices;  // receiver index of each peer's session
};

}  // namespace wirelay::bench
