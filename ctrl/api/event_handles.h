// libevent's things, freed with their owners.
#pragma once

#include <chrono>
#include <memory>

#include <event2/bufferevent.h>
#include <event2/event.h>

namespace wirelay::ctrl::api {

struct EventFree {
  void operator()(event* e) const noexcept { event_free(e); }
  void operator()(bufferevent* b) const noexcept { bufferevent_free(b); }
};
using EventPtr = std::unique_ptr<event, EventFree>;
using StreamPtr = std::unique_ptr<bufferevent, EventFree>;

inline timeval to_timeval(std::chrono::milliseconds time) noexcept {
  return {time.count() / 1000, time.count() % 1000 * 1000};
}

}  // namespace wirelay::ctrl::api
