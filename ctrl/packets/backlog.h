// Whether more comes into a ring than is taken out of it. The ring cannot tell: what finds it full
// is gone. But a ring that stays deep while much is taken out of it overflows, or soon will; what a
// stall of ours has left behind becomes less.
#pragma once

namespace wirelay::ctrl {

/// Of one ring, seen by who takes out of it.
class Backlog {
 public:
  static constexpr unsigned kDeep = 256;     // a quarter of a ring
  static constexpr unsigned kEnough = 4096;  // four rings: what a stall left is gone by then,
                                             // unless four fifths as many as are served come

  /// `waiting`: how many were there before `served` of them were taken out. True when so many have
  /// been while it was deep all the time; then it begins to count anew.
  bool stays(unsigned waiting, unsigned served) noexcept {
    served_ = waiting < kDeep ? 0 : served_ + served;
    if (served_ < kEnough) return false;
    served_ = 0;
    return true;
  }

 private:
  unsigned served_ = 0;  // since it became deep
};

}  // namespace wirelay::ctrl
