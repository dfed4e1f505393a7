// Lookups: one address, or a burst of them.
#include "dataplane/tables/prefix.h"

#include "dataplane/burst.h"
#include "dataplane/tables/prefix4_store.h"
#include "dataplane/tables/prefix6_store.h"

namespace wirelay::dataplane {

namespace {

/// IPv6 addresses of a burst that no longer prefix has matched: their numbers, and how many.
struct Unresolved {
  uint8_t index[kBurstSize];
  unsigned count = 0;
};

/// Resolves the addresses that the only prefix of its length holds.
void compare(const Prefix6Store& store, uint32_t entry, uint8_t length, const IpAddr* addrs,
             RouteTarget* out, Unresolved& unresolved) noexcept {
  const PrefixKey mask = PrefixKey::mask(length);
  const RouteTarget target = store.target(entry);
  unsigned left = 0;
  for (unsigned i = 0; i < unresolved.count; ++i) {
    const uint8_t index = unresolved.index[i];
    const bool found = store.matches(entry, PrefixKey::of(addrs[index]) & mask, length);
    if (found) out[index] = target;
    unresolved.index[left] = index;
    left += !found;
  }
  unresolved.count = left;
}

/// Looks for the prefixes of one length that hold the unresolved addresses. First all hashes, then
/// all buckets, then all entries, so that the memory of one is fetched while others are worked on.
void probe(const Prefix6Store& store, uint8_t length, const IpAddr* addrs, RouteTarget* out,
           Unresolved& unresolved) noexcept {
  const PrefixKey mask = PrefixKey::mask(length);
  Prefix6Store::Hash hashes[kBurstSize];
  uint32_t entries[kBurstSize];
  bool certain[kBurstSize];  // no other entry can be the one

  for (unsigned i = 0; i < unresolved.count; ++i) {
    hashes[i] = store.hash(PrefixKey::of(addrs[unresolved.index[i]]) & mask, length);
    __builtin_prefetch(&store.bucket(hashes[i].bucket));
  }
  for (unsigned i = 0; i < unresolved.count; ++i) {
    const PrefixBucket& b = store.bucket(hashes[i].bucket);
    const uint64_t tags0 = b.tags[0].load(std::memory_order_acquire);
    const uint64_t tags1 = b.tags[1].load(std::memory_order_acquire);
    const uint32_t candidates = PrefixBucket::candidates(tags0, tags1, hashes[i].tag);
    entries[i] = Prefix6Store::kNoEntry;
    if (candidates != 0) {
      entries[i] = b.entries[PrefixBucket::place(candidates)].load(std::memory_order_acquire);
    }
    certain[i] = (candidates & (candidates - 1)) == 0 && PrefixBucket::next(tags1) == 0;
    __builtin_prefetch(&store.entry(entries[i]));
  }
  unsigned left = 0;
  for (unsigned i = 0; i < unresolved.count; ++i) {
    const uint8_t index = unresolved.index[i];
    const PrefixKey key = PrefixKey::of(addrs[index]) & mask;
    uint32_t number = entries[i];
    bool found = store.matches(number, key, length);
    if (!found && !certain[i]) {
      number = store.find(key, length, hashes[i]);
      found = number != Prefix6Store::kNoEntry;
    }
    if (found) {
      out[index] = store.target(number);
    } else {
      unresolved.index[left++] = index;
    }
  }
  unresolved.count = left;
}

void lookup6(const Prefix6Store& store, const IpAddr* addrs, RouteTarget* out,
             Unresolved& unresolved) noexcept {
  Prefix6Store::Lengths lengths = store.lengths();
  uint8_t length;
  while (unresolved.count != 0 && Prefix6Store::take_longest(lengths, length)) {
    const uint32_t only = store.only(length);
    if (only != Prefix6Store::kNoEntry) {
      compare(store, only, length, addrs, out, unresolved);
    } else {
      probe(store, length, addrs, out, unresolved);
    }
  }
}

}  // namespace

PrefixTable::PrefixTable(uint32_t capacity)
    : v4_(std::make_unique<Prefix4Store>(capacity)),
      v6_(std::make_unique<Prefix6Store>(capacity)) {}
PrefixTable::~PrefixTable() = default;

RouteTarget PrefixTable::lookup(const IpAddr& addr) const noexcept {
  RouteTarget target;
  lookup_burst({&addr, 1}, &target);
  return target;
}

void PrefixTable::lookup_burst(std::span<const IpAddr> addrs, RouteTarget* out) const noexcept {
  uint32_t addrs4[kBurstSize];
  uint8_t index4[kBurstSize];
  unsigned count4 = 0;
  Unresolved unresolved;
  for (size_t i = 0; i < addrs.size(); ++i) {
    out[i] = {};
    if (addrs[i].is_v4()) {
      addrs4[count4] = ntohl(addrs[i].v4_be());
      index4[count4++] = static_cast<uint8_t>(i);
    } else {
      unresolved.index[unresolved.count++] = static_cast<uint8_t>(i);
    }
  }
  if (count4 != 0) {
    RouteTarget targets[kBurstSize];
    v4_->lookup_burst({addrs4, count4}, targets);
    for (unsigned k = 0; k < count4; ++k) out[index4[k]] = targets[k];
  }
  if (unresolved.count != 0) lookup6(*v6_, addrs.data(), out, unresolved);
}

}  // namespace wirelay::dataplane
