// The peers of a relay as `wg show` reads them, a page at a time, so that neither the control
// thread nor memory has all of them at once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ctrl/relay_face.h"

namespace wirelay::ctrl::wg {

/// One page, found on the control thread in slices.
class PeerPage {
 public:
  /// That behind the peer `after`; "": the first.
  explicit PeerPage(std::string after) : after_(std::move(after)) {}

  /// Goes on; true when all of it is there.
  bool collect(const RelayFace& relay, const Slice& slice);
  /// API thread: its text, with preshared keys.
  [[nodiscard]] std::string text() const;
  /// "": there are no more.
  [[nodiscard]] std::string last() const { return peers_.empty() ? "" : peers_.back().first->name; }

 private:
  const std::string after_;
  bool begun_ = false;
  size_t found_ = 0;
  std::vector<std::pair<PeerPtr, PeerStatus>> peers_;
};

}  // namespace wirelay::ctrl::wg
