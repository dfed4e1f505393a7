// Work of the control thread that may wait: answers for the API, changes that are published. It is
// done in slices, in turns, behind packets, handshakes and timers.
#pragma once

#include <deque>
#include <functional>

#include "ctrl/host/slice.h"

namespace wirelay::ctrl {

/// Control thread only; other threads come through EventLoop::post().
class Agenda {
 public:
  /// Works until the slice is over or nothing is left; true when it is done for good. Does at least
  /// one item however short the slice is. Must not throw.
  using Work = std::function<bool(const Slice& slice)>;

  void add(Work work) { waiting_.push_back(std::move(work)); }

  /// Goes on with what waits, the longest waiting first, until the slice is over. What is not done
  /// goes to the end.
  void run(const Slice& slice);

  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

 private:
  std::deque<Work> waiting_;
};

}  // namespace wirelay::ctrl
