// What the parts of the protocol share. Control thread only.
#pragma once

#include <cstdint>
#include <memory>

#include "crypto/noise.h"
#include "ctrl/protocol/peer_book.h"
#include "ctrl/protocol/peer_observer.h"
#include "ctrl/protocol/protocol.h"
#include "ctrl/protocol/user_book.h"
#include "dataplane/dataplane.h"
#include "dataplane/tables/peer_writer.h"
#include "dataplane/tables/session_writer.h"

namespace wirelay::ctrl {

/// What the kernel adds by chance to timers that both sides may start at once (its
/// REKEY_TIMEOUT_JITTER_MAX, a third of a second), in milliseconds.
inline constexpr uint32_t kJitterMs = 334;

struct Context {
  dataplane::Shared& shared;
  dataplane::SessionWriter& session_writer;
  dataplane::PeerWriter& peer_writer;
  PacketSender& sender;
  const crypto::Identity& identity;
  std::shared_ptr<PeerBook> book;  // shared with what runs after a grace period
  ProtocolCounters counters;
  Now now;  // of the call that is being served
  UserBook user_book;
  PeerObserver* observer = nullptr;

  /// Timers are kept in TSC, as sessions are.
  [[nodiscard]] uint64_t seconds(uint64_t n) const noexcept { return n * shared.tsc_hz; }
  [[nodiscard]] uint64_t milliseconds(uint64_t n) const noexcept {
    return n * shared.tsc_hz / 1000;
  }
  /// For cookies.
  [[nodiscard]] uint64_t now_seconds() const noexcept { return now.ns / kNsPerSecond; }

  /// Counts a message of a handshake that is refused, and tells of it.
  void refuse(uint64_t ProtocolCounters::*why, std::optional<uint32_t> peer = std::nullopt,
              const std::optional<dataplane::Endpoint>& from = std::nullopt) {
    ++(counters.*why);
    if (observer != nullptr) observer->refused(why, peer, from);
  }

  PeerState& state(uint32_t peer) noexcept { return book->state(peer); }
  [[nodiscard]] bool enabled(uint32_t peer) const noexcept {
    constexpr uint8_t kBoth = kPresent | kEnabled;
    return book->present(peer) && (book->state(peer).flags & kBoth) == kBoth && !expired(peer);
  }
  /// Its user's time is over.
  [[nodiscard]] bool expired(uint32_t peer) const noexcept {
    return (shared.users.flags(user_of(peer)) & dataplane::kEnded) != 0;
  }
  [[nodiscard]] uint32_t user_of(uint32_t peer) const noexcept { return shared.peers[peer].user; }
  [[nodiscard]] const dataplane::PeerPath* path(uint32_t peer) const noexcept {
    return shared.peers[peer].path.load(std::memory_order_relaxed);
  }
  /// Since when it counts.
  [[nodiscard]] uint64_t placed(uint32_t peer) const noexcept {
    return shared.peers[peer].placed.load(std::memory_order_relaxed);
  }
};

}  // namespace wirelay::ctrl
