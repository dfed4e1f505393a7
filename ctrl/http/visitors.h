// The connections of HTTP, and how long each may stay: so many at once, and whoever neither asks
// nor takes its answer for too long goes. libevent's server bounds neither.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>

#include <event2/bufferevent.h>

namespace wirelay::ctrl::http {

struct VisitorLimits {
  size_t most = 64;
  /// From its beginning, or the end of its last answer: for a whole request; and for the answer.
  std::chrono::milliseconds stay{30'000};
  /// So long a connection is not closed to make room for others.
  std::chrono::milliseconds youth{1'000};
};

/// The thread of the server's loop only.
class Visitors {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Visitors(VisitorLimits limits) : limits_(limits) {}
  ~Visitors();
  Visitors(const Visitors&) = delete;
  Visitors& operator=(const Visitors&) = delete;

  /// A connection for libevent's server, which owns it; null when there is no memory for it.
  bufferevent* admit(event_base* base);
  /// It has asked and waits for the relay: it may stay until it has its answer.
  void asked(const bufferevent* visitor);
  /// Its answer is on its way.
  void answered(const bufferevent* visitor);
  /// Forgets those that have gone, and sends away those that have stayed too long; where there is
  /// no room for one more, also the one that has done nothing for longest.
  void sweep();
  /// No more are to be let in: all that are here wait, or have just come.
  [[nodiscard]] bool full() const noexcept { return here_.size() >= limits_.most; }
  [[nodiscard]] size_t count() const noexcept { return here_.size(); }

 private:
  struct Visitor {
    bufferevent* stream;  // held, so that it is there to be asked when the server has freed it
    Clock::time_point since;
    bool waits = false;
  };
  void note(const bufferevent* stream, bool waits);
  void forget_gone();

  const VisitorLimits limits_;
  std::list<Visitor> here_;  // in the order of `since`
};

}  // namespace wirelay::ctrl::http
