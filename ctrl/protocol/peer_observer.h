// Whom the protocol tells what becomes of peers.
#pragma once

#include <cstdint>
#include <optional>

#include "ctrl/protocol/counters.h"
#include "dataplane/ip.h"
#include "dataplane/tables/session_writer.h"

namespace wirelay::ctrl {

/// Why a peer is connected no longer.
enum class Ended : uint8_t {
  kExpired,       // its last session has reached its age, and nobody asked for another
  kRekeyTimeout,  // the same, while the relay asked for another and was not answered
  kRemoved,
  kDisabled,  // its user
  kReplaced,  // by another of its user's, which has as many as it may have
  kOtherKey,  // it was given another public key
  kUserExpired,
};

/// Control thread; peers by number. Whoever hears of something only writes it down.
class PeerObserver {
 public:
  virtual ~PeerObserver() = default;
  /// The peer had no session and has one, which it has used, or answered for.
  virtual void connected(uint32_t peer, const std::optional<dataplane::Endpoint>& at) = 0;
  /// It has none any more. `carried`: since it was connected.
  virtual void disconnected(uint32_t peer, Ended how, uint64_t seconds,
                            const dataplane::Traffic& carried) = 0;
  /// It was heard from another address than before.
  virtual void roamed(uint32_t peer, const dataplane::Endpoint& from,
                      const dataplane::Endpoint& to) = 0;
  /// Its key is used from two addresses in turn: two devices may share it.
  virtual void shared_key(uint32_t peer, const dataplane::Endpoint& one,
                          const dataplane::Endpoint& other) = 0;
  /// A message of a handshake was refused, and counted there: of `peer` and from `from` where that
  /// is known.
  virtual void refused(uint64_t ProtocolCounters::*why, std::optional<uint32_t> peer,
                       const std::optional<dataplane::Endpoint>& from) = 0;
};

}  // namespace wirelay::ctrl
