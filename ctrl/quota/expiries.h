// Users whose time ends: at a moment that is set, or some days after their first handshake.
// Control thread only.
//
// The wall clock decides: a user has expired while the clock is at its moment or past it. Where the
// clock is set back before that, or the moment is moved behind it, the user is there again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "ctrl/base/now.h"
#include "ctrl/host/slice.h"
#include "ctrl/protocol/protocol.h"
#include "ctrl/users/change.h"
#include "dataplane/tables/user.h"

namespace wirelay::ctrl {

/// What outlives a process. Seconds since 1970; 0: there was none yet.
struct ExpiryState {
  uint64_t first_handshake = 0;
};

struct ExpiryStatus {
  uint64_t at = 0;  // seconds since 1970; 0: not known before the first handshake
  uint64_t first_handshake = 0;
  bool expired = false;
};

class Expiries {
 public:
  /// Both outlive it.
  Expiries(dataplane::UserTable& users, Protocol& protocol) : users_(users), protocol_(protocol) {}

  /// Is told when a user's time is over, and when it is there again after all; `at`: its moment in
  /// seconds since 1970, 0 where there is none.
  std::function<void(const UserSpec& user, bool expired, uint64_t at)> on_change =
      [](const UserSpec&, bool, uint64_t) {};

  // By the user's number in the tables; the protocol knows it already. ---------------------------
  void add(uint32_t number, const UserPtr& user) { change(number, user); }
  void change(uint32_t number, const UserPtr& user);
  void remove(uint32_t number);

  [[nodiscard]] ExpiryState state(uint32_t number) const;
  /// Goes on with what a process before had, behind add().
  void restore(uint32_t number, const ExpiryState& state);
  /// nullopt for a user that does not expire.
  [[nodiscard]] std::optional<ExpiryStatus> status(uint32_t number) const;

  /// Call every 10 ms or so. From the first slice on that comes to a user nothing of it passes;
  /// its sessions end behind that. False when the slice was over before all was done.
  bool tick(const Now& now, const Slice& slice);

 private:
  /// By moment, in seconds since 1970.
  using Place = std::pair<uint64_t, uint32_t>;
  struct Entry {
    UserPtr user;
    uint64_t at = 0;  // 0: not known yet, not in order_
  };
  /// Peers of a user whose sessions are yet to end, or who are to be greeted.
  struct Rest {
    uint32_t number, peers;
  };

  void place(uint32_t number, Entry& entry);
  void set_expired(uint32_t number, const Entry& entry, bool expired);
  [[nodiscard]] bool expired(uint32_t number) const {
    return (users_.flags(number) & dataplane::kEnded) != 0;
  }
  bool move_to(const Place& now, const Slice& slice);
  bool finish(const Slice& slice);

  dataplane::UserTable& users_;
  Protocol& protocol_;
  std::unordered_map<uint32_t, Entry> entries_;
  std::set<Place> order_;
  Place reached_{0, 0};  // those up to here have expired, and no others
  std::deque<Rest> rest_;
};

}  // namespace wirelay::ctrl
