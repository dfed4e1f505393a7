// What the protocol counts. Written by the control thread.
#pragma once

#include <array>
#include <cstdint>

#include "ctrl/base/counter_field.h"

namespace wirelay::ctrl {

struct ProtocolCounters {
  uint64_t handshakes_completed = 0;
  uint64_t initiations_received = 0, initiations_sent = 0;
  uint64_t responses_received = 0, responses_sent = 0;
  uint64_t cookies_received = 0, cookies_sent = 0;
  uint64_t keepalives_sent = 0, roamed = 0, narrowed = 0;
  uint64_t held_packets = 0, held_overflow = 0, held_dropped = 0;
  uint64_t sessions_expired = 0, no_memory = 0;
  uint64_t refused_unknown_peer = 0, refused_bad_message = 0, refused_replay = 0, refused_clock = 0,
           refused_too_soon = 0, refused_disabled = 0, refused_under_load = 0, refused_full = 0,
           refused_unreachable = 0, refused_changed = 0, refused_expired = 0, refused_sessions = 0,
           refused_draining = 0;
};

inline constexpr std::array kProtocolCounters = [] {
  using C = ProtocolCounters;
  return std::array{
      CounterField{"completed", "handshakes that made a session", &C::handshakes_completed},
      CounterField{"initiations_received", "initiations that came in", &C::initiations_received},
      CounterField{"initiations_sent", "initiations that the relay sent", &C::initiations_sent},
      CounterField{"responses_received", "responses that came in", &C::responses_received},
      CounterField{"responses_sent", "responses that the relay sent", &C::responses_sent},
      CounterField{"cookies_received", "cookie replies that came in", &C::cookies_received},
      CounterField{"cookies_sent", "cookie replies that the relay sent, under load",
                   &C::cookies_sent},
      CounterField{"keepalives_sent", "keepalives that the relay sent", &C::keepalives_sent},
      CounterField{"roamed", "peers heard from another address than before", &C::roamed},
      CounterField{"narrowed", "paths that routers have said to take less than their port",
                   &C::narrowed},
      CounterField{"held_packets", "packets that had to wait for a session", &C::held_packets},
      CounterField{"held_overflow", "of these, given up because too many waited",
                   &C::held_overflow},
      CounterField{"held_dropped",
                   "of these, given up because no session came, the path changed, or the "
                   "destination is no longer the peer's",
                   &C::held_dropped},
      CounterField{"sessions_expired", "sessions that ended by their age", &C::sessions_expired},
      CounterField{"no_memory", "messages that were not sent because all buffers were in use",
                   &C::no_memory},
      CounterField{"refused.unknown_peer", "handshakes by a key that is no peer's",
                   &C::refused_unknown_peer},
      CounterField{"refused.bad_message", "handshake messages that are not authentic",
                   &C::refused_bad_message},
      CounterField{"refused.replay", "initiations with the timestamp of the peer's last",
                   &C::refused_replay},
      CounterField{"refused.clock",
                   "initiations that are older than the last: a clock gone back, or a replay",
                   &C::refused_clock},
      CounterField{"refused.too_soon", "initiations of a peer that has just begun one",
                   &C::refused_too_soon},
      CounterField{"refused.disabled", "handshakes of peers whose user is disabled",
                   &C::refused_disabled},
      CounterField{"refused.expired", "handshakes of peers whose user has expired",
                   &C::refused_expired},
      CounterField{"refused.sessions",
                   "handshakes of peers whose user has as many connected as it may",
                   &C::refused_sessions},
      CounterField{"refused.draining", "handshakes since the relay takes no new sessions",
                   &C::refused_draining},
      CounterField{"refused.under_load", "handshake messages that were not looked at under load",
                   &C::refused_under_load},
      CounterField{"refused.full", "handshakes for which no session was free", &C::refused_full},
      CounterField{"refused.unreachable", "handshake messages to whose sender no route leads",
                   &C::refused_unreachable},
      CounterField{"refused.changed",
                   "initiations whose peer was changed or removed while the answer was computed",
                   &C::refused_changed},
  };
}();
static_assert(complete(kProtocolCounters));

}  // namespace wirelay::ctrl
