// How requests pass the door: prepared, kept, told, or undone as a whole. Several may be kept at
// once, each prepared on those before it. What threads it takes is door.h's.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "ctrl/host/slice.h"
#include "ctrl/users/change.h"
#include "ctrl/users/registry.h"

namespace wirelay::ctrl {

/// Who is told of changes once they are sure to come: in order, on the control thread.
class ChangeObserver {
 public:
  virtual ~ChangeObserver() = default;
  /// Makes the change so. False: there will be room only after a grace period, and nothing was
  /// done; call again. Throws when it cannot be done, and then has changed nothing.
  virtual bool tell(const ChangeEvent& event) = 0;
};

/// A request that was prepared: what is to be kept, and who asks for it.
struct Prepared {
  const ChangeRequest* request = nullptr;
  std::vector<ChangeEvent> events;
};

/// Where changes are kept for the time after this process.
class Journal {
 public:
  virtual ~Journal() = default;
  /// Returns when all of them are kept, and throws when they cannot be: then none is.
  virtual void keep(std::span<const Prepared> requests) = 0;
  /// What was kept last could not be made so after all: these are the last of what keep() was
  /// given.
  virtual void take_back(std::span<const Prepared> requests) = 0;
  /// What it was given is told by now, but for what was taken back.
  virtual void settled() {}
};

/// Events on their way into registry and observer, in slices; when one fails, those before it are
/// undone, the last first.
class Telling {
 public:
  /// All of these outlive it.
  Telling(Registry& registry, ChangeObserver& observer, std::span<const ChangeEvent> events)
      : registry_(registry), observer_(observer), events_(events) {}

  /// True when it is done: all told, or all undone.
  bool run(const Slice& slice);
  /// Why it was undone; null when it was not.
  [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }

 private:
  // False: a grace period has to pass first.
  bool tell_next();
  bool undo_next();

  Registry& registry_;
  ChangeObserver& observer_;
  const std::span<const ChangeEvent> events_;
  size_t told_ = 0;
  std::exception_ptr error_;
};

/// Has `telling` run until it is done, wherever that may be done; false when it was given up half
/// way, because the relay ends.
using Tell = std::function<bool(Telling& telling)>;

struct CheckedSteps {
  std::vector<ChangeEvent> events;
  std::vector<Problem> warnings;  // what is allowed and probably isn't meant
};

/// What `steps` come to; throws Refused with every problem found.
/// Rules: names unique and well-formed, public keys unique, not zero and not ours; endpoints where
/// a peer can be; allowed IPs can be forwarded, are nobody else's (unless they move) and nothing of
/// the relay's own; the user exists; max_peers and sizes hold. Costs what the steps change, not
/// what the registry holds.
CheckedSteps check_steps(const Registry& registry, std::optional<Origin> origin,
                         std::span<const Step> steps, const std::stop_token& stop = {});

/// Whether `request` can be prepared on others that are not told yet: it brings its steps.
bool may_follow(const ChangeRequest& request);

/// Takes the requests through; all but the first may_follow(). Each has its outcome, in order.
/// `registry` stands still but for `tell`. `journal` may be null.
std::vector<ChangeOutcome> pass(Registry& registry, ChangeObserver& observer, Journal* journal,
                                std::span<const ChangeRequest* const> requests, const Tell& tell,
                                const std::stop_token& stop = {});

/// One, on the control thread, at once: for the start, before anybody waits for anything.
ChangeOutcome pass_at_once(Registry& registry, ChangeObserver& observer, Journal* journal,
                           const ChangeRequest& request);

}  // namespace wirelay::ctrl
