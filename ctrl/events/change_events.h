// Changes of users and peers as events: who asked, what for, and each record before and after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ctrl/events/event.h"
#include "ctrl/users/change.h"

namespace wirelay::ctrl::events {

/// Who asked for a change, and what for.
struct Asker {
  Origin origin;
  std::optional<Caller> caller;
  std::string request;  // "user.set"
};

/// An event for each record among outcome.changes, and one with "more" where there are more than
/// these. Nothing when the request failed. No secrets are in them; of a change the fields that
/// differ, of which long ones are cut. Any thread but the control thread.
std::vector<Event> change_events(const Asker& asker, const ChangeOutcome& outcome);

}  // namespace wirelay::ctrl::events
