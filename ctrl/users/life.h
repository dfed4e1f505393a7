// What happens to users and peers while they are there, beside what an operator says of them: what
// a store keeps for the time after a restart. Plain data.
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/noise.h"
#include "dataplane/ip.h"
#include "dataplane/tables/session_writer.h"
#include "dataplane/tables/user.h"

namespace wirelay::ctrl {

/// Where a peer is, and what it takes for the relay.
struct Whereabouts {
  dataplane::Endpoint remote, local;

  bool operator==(const Whereabouts&) const = default;
};

struct PeerLife {
  dataplane::Traffic traffic;        // since the peer was added
  std::optional<Whereabouts> where;  // none: not known
  crypto::Timestamp timestamp{};     // greatest of an accepted initiation; zeros: none
  uint64_t handshake_unix_ns = 0;    // last completed handshake; 0: never

  bool operator==(const PeerLife&) const = default;
};

/// What a user carried in one step of the history.
struct UsageStep {
  uint64_t begin = 0;  // Unix seconds, a multiple of the step's length; 0: none
  dataplane::Traffic traffic;

  bool operator==(const UsageStep&) const = default;
};

/// What a user has used of its quota.
struct QuotaState {
  uint64_t begin = 0;        // of the period, Unix seconds; 0: there is no quota
  dataplane::QuotaUse used;  // since then
  uint8_t warned = 0;        // the percentage that was warned of last

  bool operator==(const QuotaState&) const = default;
};

struct UserLife {
  dataplane::Traffic past;  // of peers that were removed
  UsageStep step;           // that is not over yet
  QuotaState quota = {};
  uint64_t first_handshake = 0;  // of any of its peers, Unix seconds; 0: there was none yet

  bool operator==(const UserLife&) const = default;
};

}  // namespace wirelay::ctrl
