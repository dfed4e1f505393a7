// libevent's things, freed with their owners.
#pragma once

#include <chrono>
#include <memory>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

namespace wirelay::ctrl::api {

struct EventFree {
  void operator()(event* e) const noexcept { event_free(e); }
  void operator()(bufferevent* b) const noexcept { bufferevent_free(b); }
  void operator()(evconnlistener* l) const noexcept { evconnlistener_free(l); }
};
using EventPtr = std::unique_ptr<event, EventFree>;
using StreamPtr = std::unique_ptr<bufferevent, EventFree>;
using ListenerPtr = std::unique_ptr<evconnlistener, EventFree>;

inline timeval to_timeval(std::chrono::milliseconds time) noexcept {
  return {time.count() / 1000, time.count() % 1000 * 1000};
}

}  // namespace wirelay::ctrl::api
