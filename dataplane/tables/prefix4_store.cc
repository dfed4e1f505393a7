// Lookups among IPv4 prefixes, and their changes.
#include "dataplane/tables/prefix4_store.h"

#include <bit>

#include "crypto/keys.h"
#include "dataplane/burst.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::dataplane {

namespace {

/// On average at the full capacity; of seven. One bucket in twenty then needs a second one.
constexpr uint32_t kWordsPerBucket = 4;

}  // namespace

struct Prefix4Store::Unresolved {
  uint8_t index[kBurstSize];
  unsigned count = 0;
};

Prefix4Store::Prefix4Store(uint32_t capacity)
    : buckets_in_use_(capacity / kWordsPerBucket + 1),
      // In time each bucket may have needed a second one, and hardly any a third.
      buckets_(size_t{buckets_in_use_} * 2 + capacity / 8 + 64),
      fresh_bucket_(buckets_in_use_) {
  crypto::random_bytes({reinterpret_cast<uint8_t*>(seed_), sizeof seed_});
  seed_[1] |= 1;
  seed_[2] |= 1;
}

uint64_t Prefix4Store::code_of(const Prefix& prefix) noexcept {
  return code(ntohl(prefix.addr.v4_be()), prefix.length - 96u);
}

RouteTarget Prefix4Store::find(uint64_t code, uint32_t bucket) const noexcept {
  do {
    const Prefix4Bucket& b = buckets_[bucket];
    uint64_t found = 0;
    for (const std::atomic<uint64_t>& place : b.words) {
      const uint64_t word = place.load(kAcquire);
      found = word >> kTargetBits == code ? word : found;
    }
    if (found != 0) return target_of(found);
    bucket = static_cast<uint32_t>(b.next.load(kAcquire));
  } while (bucket != 0);
  return {};
}

/// Resolves the addresses that the only prefix of its length holds.
void Prefix4Store::compare(uint64_t only, unsigned length, std::span<const uint32_t> addrs,
                           RouteTarget* out, Unresolved& unresolved) const noexcept {
  unsigned left = 0;
  for (unsigned i = 0; i < unresolved.count; ++i) {
    const uint8_t index = unresolved.index[i];
    const bool found = only >> kTargetBits == code(addrs[index], length);
    if (found) out[index] = target_of(only);
    unresolved.index[left] = index;
    left += !found;
  }
  unresolved.count = left;
}

/// Looks for the prefixes of one length that hold the unresolved addresses. First all hashes, so
/// that the memory of one is fetched while others are worked on.
void Prefix4Store::probe(unsigned length, std::span<const uint32_t> addrs, RouteTarget* out,
                         Unresolved& unresolved) const noexcept {
  uint64_t codes[kBurstSize];
  uint32_t at[kBurstSize];
  for (unsigned i = 0; i < unresolved.count; ++i) {
    codes[i] = code(addrs[unresolved.index[i]], length);
    at[i] = bucket(codes[i]);
    __builtin_prefetch(&buckets_[at[i]]);
  }
  unsigned left = 0;
  for (unsigned i = 0; i < unresolved.count; ++i) {
    const uint8_t index = unresolved.index[i];
    const RouteTarget target = find(codes[i], at[i]);
    out[index] = target;
    unresolved.index[left] = index;
    left += target.kind() == RouteKind::kNone;
  }
  unresolved.count = left;
}

void Prefix4Store::lookup_burst(std::span<const uint32_t> addrs, RouteTarget* out) const noexcept {
  Unresolved unresolved;
  for (; unresolved.count < addrs.size(); ++unresolved.count) {
    unresolved.index[unresolved.count] = static_cast<uint8_t>(unresolved.count);
    out[unresolved.count] = {};
  }
  uint64_t lengths = in_use_.load(kAcquire);
  while (lengths != 0 && unresolved.count != 0) {
    const auto length = static_cast<unsigned>(std::bit_width(lengths)) - 1;
    lengths ^= uint64_t{1} << length;
    const uint64_t only = only_[length].load(kAcquire);
    if (only != 0) {
      compare(only, length, addrs, out, unresolved);
    } else {
      probe(length, addrs, out, unresolved);
    }
  }
}

std::atomic<uint64_t>* Prefix4Store::place(uint64_t code) noexcept {
  std::atomic<uint64_t>* free = nullptr;
  Prefix4Bucket* b = &buckets_[bucket(code)];
  while (true) {
    for (std::atomic<uint64_t>& place : b->words) {
      const uint64_t word = place.load(kRelaxed);
      if (word >> kTargetBits == code) return &place;
      if (word == 0 && free == nullptr) free = &place;
    }
    const uint64_t next = b->next.load(kRelaxed);
    if (next == 0) break;
    b = &buckets_[next];
  }
  if (free != nullptr) return free;
  if (fresh_bucket_ == buckets_.size()) return nullptr;
  b->next.store(fresh_bucket_, kRelease);
  return &buckets_[fresh_bucket_++].words[0];
}

bool Prefix4Store::set(const Prefix& prefix, RouteTarget target) noexcept {
  const uint64_t code = code_of(prefix);
  std::atomic<uint64_t>* at = place(code);
  if (at == nullptr) return false;
  const uint64_t before = at->load(kRelaxed), after = code << kTargetBits | target.word;
  at->store(after, kRelease);
  count(before, after);
  return true;
}

bool Prefix4Store::erase(const Prefix& prefix) noexcept {
  const uint64_t code = code_of(prefix);
  if (find(code).kind() == RouteKind::kNone) return false;
  std::atomic<uint64_t>* at = place(code);
  const uint64_t before = at->load(kRelaxed);
  at->store(0, kRelease);
  count(before, 0);
  return true;
}

void Prefix4Store::count(uint64_t before, uint64_t after) noexcept {
  const auto mark = std::countr_zero((before | after) >> kTargetBits);
  const unsigned length = 32 - static_cast<unsigned>(mark);
  OfLength& all = of_length_[length];
  all.count = all.count + (after != 0) - (before != 0);
  all.words ^= before ^ after;
  size_ = size_ + (after != 0) - (before != 0);
  only_[length].store(all.count == 1 ? all.words : 0, kRelease);
  const uint64_t others = in_use_.load(kRelaxed) & ~(uint64_t{1} << length);
  in_use_.store(others | uint64_t{all.count != 0} << length, kRelease);
}

}  // namespace wirelay::dataplane
