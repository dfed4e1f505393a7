// Two places in turn.
#include "ctrl/protocol/shared_keys.h"

#include <utility>

namespace wirelay::ctrl {

namespace {

constexpr uint32_t kChanges = 6;
constexpr uint64_t kWithinSeconds = 600;

}  // namespace

std::optional<dataplane::Endpoint> SharedKeys::note(uint32_t peer, const dataplane::Endpoint& from,
                                                    uint64_t now) {
  Places& places = peers_[peer];
  if (from == places.last) return std::nullopt;
  const bool back = from == places.before;
  places.before = std::exchange(places.last, from);
  if (!back || now - places.since > kWithinSeconds * tsc_hz_) {
    places.changes = back ? 1 : 0;
    places.since = now;
    return std::nullopt;
  }
  if (++places.changes < kChanges) return std::nullopt;
  places.changes = 0;
  return places.before;
}

}  // namespace wirelay::ctrl
