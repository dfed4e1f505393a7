// Who is served next on the API's thread: whoever has had least of it, the request at hand reckoned
// in. A short call goes before a long one, and whoever asks much waits for those who asked little.
#pragma once

#include <cstdint>
#include <vector>

namespace wirelay::ctrl::api {

class Client;

/// A client's part in it.
struct Turn {
  Client* client = nullptr;
  uint64_t used_ns = 0;  // of the thread, counted from what others had had when it came
  uint64_t next_ns = 0;  // that its next request will take, by its length
};

class Turns {
 public:
  /// It has something to do. Once more is the same.
  void want(Turn& turn);
  /// It has gone.
  void forget(const Turn& turn);
  /// Takes out whose turn it is; null when nobody waits. Of equals the first that came.
  Turn* next();
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

 private:
  std::vector<Turn*> waiting_;  // in the order in which they came
  uint64_t level_ns_ = 0;       // what those who are served have had: nobody saves up more
};

}  // namespace wirelay::ctrl::api
