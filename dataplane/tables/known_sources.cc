// A word for an address: readers see it whole, and nothing else is published with it.
#include "dataplane/tables/known_sources.h"

#include <algorithm>
#include <bit>

#include <sodium.h>

#include "crypto/keys.h"
#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kTag = ~uint64_t{0} << 32;

}  // namespace

/// Four times the room that the addresses take, so that hardly any set overflows.
KnownSources::KnownSources(uint32_t peers, uint64_t tsc_hz)
    : known_for_((kKnownForSeconds * tsc_hz >> kUnit) + 1),
      sets_(std::bit_ceil(std::max(uint64_t{peers} * 4 / kWays, uint64_t{1}))) {
  crypto::random_bytes(key_);
}

uint64_t KnownSources::hash(const IpAddr& source) const noexcept {
  static_assert(sizeof(key_) == crypto_shorthash_KEYBYTES);
  const uint64_t network = network_of(source);
  uint64_t out;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&out),
                   reinterpret_cast<const unsigned char*>(&network), sizeof network, key_.data());
  return out;
}

void KnownSources::note(const IpAddr& source, uint64_t now) noexcept {
  const uint64_t hash = this->hash(source);
  auto& entries = sets_[hash & (sets_.size() - 1)].entries;
  std::atomic<uint64_t>* place = nullptr;
  for (auto& entry : entries) {
    const uint64_t word = entry.load(std::memory_order_relaxed);
    if ((word & kTag) == (hash & kTag)) {
      place = &entry;
      break;
    }
    if (place == nullptr || static_cast<uint32_t>(word) <
                                static_cast<uint32_t>(place->load(std::memory_order_relaxed))) {
      place = &entry;
    }
  }
  const uint64_t until = (now >> kUnit) + known_for_;
  place->store((hash & kTag) | until, std::memory_order_relaxed);
}

bool KnownSources::has(const IpAddr& source, uint64_t now) const noexcept {
  const uint64_t hash = this->hash(source);
  const auto& entries = sets_[hash & (sets_.size() - 1)].entries;
  return std::ranges::any_of(entries, [&](const std::atomic<uint64_t>& entry) {
    const uint64_t word = entry.load(std::memory_order_relaxed);
    return (word & kTag) == (hash & kTag) && static_cast<uint32_t>(word) > now >> kUnit;
  });
}

}  // namespace wirelay::dataplane
