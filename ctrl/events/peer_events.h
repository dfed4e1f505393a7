// What the protocol tells of peers, as events about users and peers by name.
#pragma once

#include "ctrl/events/event.h"
#include "ctrl/events/repeats.h"
#include "ctrl/protocol/peer_observer.h"
#include "ctrl/users/publisher.h"

namespace wirelay::ctrl::events {

/// Control thread.
class PeerEvents : public PeerObserver {
 public:
  /// Both outlive it.
  PeerEvents(Sink& sink, const Publisher& publisher)
      : sink_(sink), publisher_(publisher), repeats_(sink) {}

  void connected(uint32_t peer, const std::optional<dataplane::Endpoint>& at) override;
  void disconnected(uint32_t peer, Ended how, uint64_t seconds,
                    const dataplane::Traffic& carried) override;
  void roamed(uint32_t peer, const dataplane::Endpoint& from,
              const dataplane::Endpoint& to) override;
  void shared_key(uint32_t peer, const dataplane::Endpoint& one,
                  const dataplane::Endpoint& other) override;
  void refused(uint64_t ProtocolCounters::*why, std::optional<uint32_t> peer,
               const std::optional<dataplane::Endpoint>& from) override;
  /// Tells how often what was told has happened since; call about once a second.
  void tick(uint64_t now_ns) { repeats_.tick(now_ns); }

 private:
  [[nodiscard]] Event about(Kind kind, uint32_t peer) const;

  Sink& sink_;
  const Publisher& publisher_;
  Repeats repeats_;
};

}  // namespace wirelay::ctrl::events
