// Which of a request's steps has the last word on a peer's allowed IPs. Internal to ctrl/users.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <unordered_map>

#include "ctrl/users/model.h"

namespace wirelay::ctrl {

/// A request is judged by the state it ends in: what a later step says otherwise, or takes away
/// with the peer, was never claimed.
class LastWord {
 public:
  LastWord() = default;
  /// `steps` outlive it.
  explicit LastWord(std::span<const Step> steps);

  /// That of the steps it was made of, by its place among them, this one has it.
  [[nodiscard]] bool has(size_t place) const;

  /// The name of the peer whose allowed IPs the step decides on; "": of none.
  static std::string_view peer_of(const Change& change);

 private:
  std::span<const Step> steps_;
  std::unordered_map<std::string_view, size_t> last_;  // by the peer's name
};

}  // namespace wirelay::ctrl
