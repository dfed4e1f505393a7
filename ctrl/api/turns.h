// Who is served next on the API's thread: whoever's user has had least of it, the request at hand
// reckoned in. A short call goes before a long one, and a user who asks much waits for those who
// ask little, over however many connections. So that nobody waits forever, every other turn is
// given to whoever has waited longest, if that is long.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <sys/types.h>

namespace wirelay::ctrl::api {

class Client;

/// A client's part in it.
struct Turn {
  Client* client = nullptr;
  uid_t user = 0;
  uint64_t next_ns = 0;   // that its next step will take: a line to read, or a reply to write
  uint64_t since_ns = 0;  // it waits since then
};

/// Times are nanoseconds of any one clock.
class Turns {
 public:
  static constexpr uint64_t kLongWaitNs = 200'000'000;

  /// It has something to do. Once more is the same.
  void want(Turn& turn, uint64_t now_ns);
  /// It has gone.
  void forget(const Turn& turn);
  /// Takes out whose turn it is; null when nobody waits. Of equals the first that came.
  Turn* next(uint64_t now_ns);
  /// The user has had so much of the thread.
  void charge(uid_t user, uint64_t used_ns);
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

 private:
  [[nodiscard]] uint64_t used_by(uid_t user) const;

  std::vector<Turn*> waiting_;      // in the order in which they came
  std::map<uid_t, uint64_t> used_;  // above the level; others have had as much as that
  uint64_t level_ns_ = 0;           // what those who are served have had: nobody saves up more
  bool oldest_next_ = false;
};

}  // namespace wirelay::ctrl::api
