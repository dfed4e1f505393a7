// SIGTERM and SIGINT while the relay starts: whatever is open by then is closed in order, as after
// any other reason not to start. Once the event loop runs, it takes these signals itself.
#pragma once

#include <stdexcept>

namespace wirelay::ctrl {

/// The relay was told to end before it ran.
class StopRequest : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// From now on the first of these signals is noted; a second one ends the process at once.
void note_stop_signals();

/// Whether one has come. Any thread.
bool stop_requested() noexcept;

/// Throws StopRequest when one has come: for the places between the steps of a start.
void stop_if_requested();

}  // namespace wirelay::ctrl
