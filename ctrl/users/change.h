// A change of users and peers on its way: who asks for it, what it will do, and what became of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

#include "ctrl/base/problem.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl {

class Registry;

/// Specs are immutable once they stand somewhere: a change swaps the pointer, and any thread may
/// go on reading what it holds.
using UserPtr = std::shared_ptr<const UserSpec>;
using PeerPtr = std::shared_ptr<const PeerSpec>;

/// One user or peer, as it was and as it will be; null stands for none. A peer keeps its user: the
/// names of users differ where that has another name now. An event with the same spec on both sides
/// tells that something around it has changed: the peers of a user that is switched on or off.
struct UserEvent {
  UserPtr before, after;
  bool quota_reset = false;  // what was used of its quota is forgotten
};
struct PeerEvent {
  PeerPtr before, after;
  /// Where the peer is from now on, wherever it was heard last; port 0: nowhere known. nullopt: the
  /// request does not say.
  std::optional<dataplane::Endpoint> placed = std::nullopt;
  bool timestamp_forgotten = false;  // its next handshake is taken whatever its time
};
using ChangeEvent = std::variant<UserEvent, PeerEvent>;
/// What takes it back.
ChangeEvent reversed(const ChangeEvent& event);

/// That it changes what somebody has said of a record; not what surrounds it, and no name that it
/// bears in passing.
bool tells(const ChangeEvent& event);

/// What process asks, by its socket (unix(7), SO_PEERCRED).
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  bool operator==(const Caller&) const = default;
};

struct ChangeRequest {
  /// Throws Refused; ends early, with any steps, when `stop` is requested.
  using MakeSteps =
      std::function<std::vector<Step>(const Registry& registry, std::stop_token stop)>;

  std::optional<Origin> origin = Origin::kApi;  // of what is added; none: as each says itself
  std::optional<Caller> caller = std::nullopt;  // of an API request
  std::string what;                             // for the log: "user.add"
  std::vector<Step> steps;
  MakeSteps make_steps = nullptr;  // in their place: from what stands when the request's turn comes
  bool dry_run = false;            // told of, and then forgotten
};

/// How many users and peers a request adds, changes and removes.
struct ChangeCounts {
  size_t users_added = 0, users_changed = 0, users_removed = 0;
  size_t peers_added = 0, peers_changed = 0, peers_removed = 0;
};
/// A peer that changes twice counts once.
ChangeCounts count(const std::vector<ChangeEvent>& events);

/// The most lines that describe() makes.
inline constexpr size_t kMaxDescribed = 1000;
/// "+ user alice", "~ peer phone: endpoint ...", "- user bob": one line for each event that changes
/// something, until there are kMaxDescribed. Secrets are not among what is shown.
std::vector<std::string> describe(const std::vector<ChangeEvent>& events);

/// The most events that an outcome tells of.
inline constexpr size_t kMostChangesTold = 100;
/// The first of those that change something.
std::vector<ChangeEvent> first_changes(const std::vector<ChangeEvent>& events);

struct ChangeOutcome {
  std::exception_ptr error;  // Refused, or what stood in the way: nothing was changed
  ChangeCounts counts;
  std::vector<ChangeEvent> changes;     // the first kMostChangesTold of what was done
  std::vector<Problem> warnings;        // what was done and probably isn't meant
  std::vector<std::string> difference;  // of a dry run; may be cut, as describe() has it
};

}  // namespace wirelay::ctrl
