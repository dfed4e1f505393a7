// Users and peers that have series of their own in /metrics: those that the configuration names,
// as many as it lets in.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/api/render.h"
#include "ctrl/config/config.h"

namespace wirelay::ctrl::http {

/// A user, what it carried, and each of its peers.
struct UserSeries {
  api::UserView user;
  std::vector<api::PeerView> peers;
};

/// Grows without moving what is there, which would take the control thread long.
using UserSeriesList = std::deque<UserSeries>;

/// Whether `name` is `pattern`, or begins as one that ends in "*" does.
bool matches(std::string_view pattern, std::string_view name);

/// Asks for them on the control thread, in slices.
class SeriesList {
 public:
  /// Goes on with the users of `relay`; true when all are there.
  bool run(const RelayFace& relay, const Slice& slice);
  /// Each with all of its peers, or not at all.
  [[nodiscard]] UserSeriesList& users() noexcept { return users_; }
  /// More were named than are let in.
  [[nodiscard]] bool cut() const noexcept { return cut_; }

 private:
  bool begin_next(const Registry& registry, const HttpConfig& config);
  [[nodiscard]] UserPtr next_of(const Registry& registry, const std::string& pattern) const;
  bool add_peers(const RelayFace& relay, const Slice& slice);

  UserSeriesList users_;
  size_t pattern_ = 0;       // of the configuration, at hand
  bool in_pattern_ = false;  // some user of it was looked at
  std::string last_;         // that one
  size_t entries_ = 0;       // users and peers that are in
  bool within_ = false;      // the last of users_ has not all of its peers yet
  bool cut_ = false;
};

}  // namespace wirelay::ctrl::http
