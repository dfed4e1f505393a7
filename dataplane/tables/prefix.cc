// Lookups: one address, or a burst of them.
#include "dataplane/tables/prefix.h"

#include "dataplane/burst.h"
#include "dataplane/tables/prefix_store.h"

namespace wirelay::dataplane {

namespace {

/// Addresses of a burst that no longer prefix has matched: their numbers, and how many.
struct Unresolved {
  uint8_t index[kBurstSize];
  unsigned count = 0;
};

/// Resolves the addresses that the only prefix of its length holds.
void compare(const PrefixStore& store, uint32_t entry, uint8_t length, const IpAddr* addrs,
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
void probe(const PrefixStore& store, uint8_t length, const IpAddr* addrs, RouteTarget* out,
           Unresolved& unresolved) noexcept {
  const PrefixKey mask = PrefixKey::mask(length);
  PrefixStore::Hash hashes[kBurstSize];
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
    entries[i] = PrefixStore::kNoEntry;
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
      found = number != PrefixStore::kNoEntry;
    }
    if (found) {
      out[index] = store.target(number);
    } else {
      unresolved.index[left++] = index;
    }
  }
  unresolved.count = left;
}

}  // namespace

PrefixTable::PrefixTable(uint32_t capacity) : store_(new PrefixStore(capacity)) {}
PrefixTable::~PrefixTable() { delete store_; }

RouteTarget PrefixTable::lookup(const IpAddr& addr) const noexcept {
  const PrefixKey key = PrefixKey::of(addr);
  const Family family = addr.is_v4() ? Family::kV4 : Family::kV6;
  PrefixStore::Lengths lengths = store_->lengths(family);
  uint8_t length;
  while (PrefixStore::take_longest(lengths, length)) {
    const PrefixKey masked = key & PrefixKey::mask(length);
    uint32_t number = store_->only(family, length);
    if (number == PrefixStore::kNoEntry) {
      number = store_->find(masked, length, store_->hash(masked, length));
    }
    if (store_->matches(number, masked, length)) return store_->target(number);
  }
  return {};
}

void PrefixTable::lookup_burst(std::span<const IpAddr> addrs, RouteTarget* out) const noexcept {
  Unresolved unresolved[kFamilies];
  for (size_t i = 0; i < addrs.size(); ++i) {
    out[i] = {};
    const Family family = addrs[i].is_v4() ? Family::kV4 : Family::kV6;
    Unresolved& u = unresolved[static_cast<size_t>(family)];
    u.index[u.count++] = static_cast<uint8_t>(i);
  }
  for (const Family family : {Family::kV4, Family::kV6}) {
    Unresolved& u = unresolved[static_cast<size_t>(family)];
    if (u.count == 0) continue;
    PrefixStore::Lengths lengths = store_->lengths(family);
    uint8_t length;
    while (u.count != 0 && PrefixStore::take_longest(lengths, length)) {
      const uint32_t only = store_->only(family, length);
      if (only != PrefixStore::kNoEntry) {
        compare(*store_, only, length, addrs.data(), out, u);
      } else {
        probe(*store_, length, addrs.data(), out, u);
      }
    }
  }
}

}  // namespace wirelay::dataplane
