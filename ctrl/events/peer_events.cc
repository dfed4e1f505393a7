// Names for numbers, and words for reasons.
#include "ctrl/events/peer_events.h"

#include <algorithm>
#include <array>
#include <utility>

namespace wirelay::ctrl::events {

namespace {

/// By Ended.
constexpr std::array<std::string_view, 7> kEndings = {
    "expired", "rekey timeout", "removed", "disabled", "replaced", "other key", "user expired"};

/// The counter without the object around it: "replay". And its place in the list.
std::pair<std::string_view, uint64_t> reason_of(uint64_t ProtocolCounters::*why) {
  const auto found = std::ranges::find_if(kProtocolCounters,
                                          [why](const auto& field) { return field.member == why; });
  const std::string_view name = found->name;
  return {name.substr(name.find('.') + 1),
          static_cast<uint64_t>(found - kProtocolCounters.begin())};
}

/// What repeats, by what it is and who it is about.
constexpr uint64_t key_of(uint64_t what, std::optional<uint32_t> peer) {
  return what << 33 | (peer ? uint64_t{*peer} + 1 : 0);
}
constexpr uint64_t kRoaming = 255;

}  // namespace

Event PeerEvents::about(Kind kind, uint32_t peer) const {
  Event event;
  event.kind = kind;
  if (const PeerPtr spec = publisher_.peer(peer)) {
    event.user = spec->user;
    event.peer = spec->name;
  }
  return event;
}

void PeerEvents::connected(uint32_t peer, const std::optional<dataplane::Endpoint>& at) {
  Event event = about(Kind::kConnected, peer);
  if (at) event.fields = {{"endpoint", *at}};
  sink_.tell(std::move(event));
}

void PeerEvents::disconnected(uint32_t peer, Ended how, uint64_t seconds,
                              const dataplane::Traffic& carried) {
  Event event = about(Kind::kDisconnected, peer);
  event.fields = {{"reason", kEndings[static_cast<size_t>(how)]},
                  {"seconds", seconds},
                  {"rx_bytes", carried.rx_bytes},
                  {"tx_bytes", carried.tx_bytes}};
  sink_.tell(std::move(event));
}

void PeerEvents::shared_key(uint32_t peer, const dataplane::Endpoint& one,
                            const dataplane::Endpoint& other) {
  Event event = about(Kind::kSharedKey, peer);
  event.fields = {{"from", one}, {"and", other}};
  sink_.tell(std::move(event));
}

void PeerEvents::roamed(uint32_t peer, const dataplane::Endpoint& from,
                        const dataplane::Endpoint& to) {
  Event event = about(Kind::kRoamed, peer);
  event.fields = {{"from", from}, {"to", to}};
  repeats_.tell(key_of(kRoaming, peer), key_of(kRoaming, std::nullopt), std::move(event));
}

void PeerEvents::refused(uint64_t ProtocolCounters::*why, std::optional<uint32_t> peer,
                         const std::optional<dataplane::Endpoint>& from) {
  const auto [reason, place] = reason_of(why);
  Event event = peer ? about(Kind::kRefused, *peer) : Event{.kind = Kind::kRefused};
  event.fields = {{"reason", reason}};
  if (from) event.fields.push_back({"from", *from});
  repeats_.tell(key_of(place, peer), key_of(place, std::nullopt), std::move(event));
}

}  // namespace wirelay::ctrl::events
