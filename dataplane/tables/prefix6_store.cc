// Changes of the IPv6 prefixes. Every change is one atomic store, made when all that it leads to is
// complete: readers see the table before or after it.
#include "dataplane/tables/prefix6_store.h"

#include <span>

#include "crypto/keys.h"
#include "dataplane/tables/commit_ahead.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::dataplane {

namespace {

/// On average at the full capacity; of twelve. One bucket in a hundred then needs a second one.
constexpr uint32_t kEntriesPerBucket = 6;

/// The tag at `place` exchanged; only the control thread writes, so that no exchange is lost.
void set_tag(PrefixBucket& bucket, unsigned place, uint8_t tag) noexcept {
  std::atomic<uint64_t>& word = bucket.tags[place / 8];
  const unsigned shift = place % 8 * 8;
  const uint64_t others = word.load(kRelaxed) & ~(uint64_t{0xff} << shift);
  word.store(others | uint64_t{tag} << shift, kRelease);
}

uint32_t next_of(const PrefixBucket& bucket) noexcept {
  return PrefixBucket::next(bucket.tags[1].load(kRelaxed));
}

void set_next(PrefixBucket& bucket, uint32_t next) noexcept {
  const uint64_t tags = bucket.tags[1].load(kRelaxed) & 0xffffffff;
  bucket.tags[1].store(tags | uint64_t{next} << 32, kRelease);
}

uint8_t tag_at(const PrefixBucket& bucket, unsigned place) noexcept {
  return static_cast<uint8_t>(bucket.tags[place / 8].load(kRelaxed) >> place % 8 * 8);
}

/// The first place with this tag (0: a free one) and, unless it is free, this entry; kEntries when
/// there is none.
unsigned find_place(const PrefixBucket& bucket, uint8_t tag, uint32_t entry) noexcept {
  unsigned place = 0;
  while (place < PrefixBucket::kEntries &&
         (tag_at(bucket, place) != tag ||
          (tag != 0 && bucket.entries[place].load(kRelaxed) != entry))) {
    ++place;
  }
  return place;
}

void toggle_length(std::atomic<uint64_t> (&in_use)[3], uint8_t length) noexcept {
  std::atomic<uint64_t>& word = in_use[length / 64];
  word.store(word.load(kRelaxed) ^ uint64_t{1} << length % 64, kRelease);
}

bool is_empty(const PrefixBucket& bucket) noexcept {
  return bucket.tags[0].load(kRelaxed) == 0 && (bucket.tags[1].load(kRelaxed) & 0xffffffff) == 0;
}

}  // namespace

Prefix6Store::Prefix6Store(uint32_t capacity)
    : capacity_(capacity),
      buckets_in_use_(capacity / kEntriesPerBucket + 1),
      // Further buckets, and twice the entries: those in their grace period count as neither.
      buckets_(size_t{buckets_in_use_} + capacity / 8 + 64),
      entries_(size_t{capacity} * 2 + 1),
      free_entries_(kNoEntry + 1, static_cast<uint32_t>(entries_.size())),
      free_buckets_(buckets_in_use_, static_cast<uint32_t>(buckets_.size())) {
  crypto::random_bytes({reinterpret_cast<uint8_t*>(seed_), sizeof seed_});
  seed_[2] |= 1;
  entries_[kNoEntry].length = 0xff;
}

bool Prefix6Store::take_longest(Lengths& lengths, uint8_t& length) noexcept {
  for (unsigned i = 3; i-- > 0;) {
    if (lengths[i] == 0) continue;
    const unsigned bit = 63 - static_cast<unsigned>(std::countl_zero(lengths[i]));
    lengths[i] ^= uint64_t{1} << bit;
    length = static_cast<uint8_t>(i * 64 + bit);
    return true;
  }
  return false;
}

uint32_t Prefix6Store::find(const PrefixKey& key, uint8_t length, Hash hash) const noexcept {
  for (uint32_t number = hash.bucket;;) {
    const PrefixBucket& b = buckets_[number];
    const uint64_t tags0 = b.tags[0].load(std::memory_order_acquire);
    const uint64_t tags1 = b.tags[1].load(std::memory_order_acquire);
    uint32_t candidates = PrefixBucket::candidates(tags0, tags1, hash.tag);
    for (; candidates != 0; candidates &= candidates - 1) {
      const unsigned place = PrefixBucket::place(candidates);
      const uint32_t entry = b.entries[place].load(std::memory_order_acquire);
      if (matches(entry, key, length)) return entry;
    }
    number = PrefixBucket::next(tags1);
    if (number == 0) return kNoEntry;
  }
}

bool Prefix6Store::insert(const Prefix& prefix, RouteTarget target) {
  uint32_t number;
  if (size_ == capacity_ || !free_entries_.take(number)) return false;
  reached(entries_, number);
  PrefixEntry& e = entries_[number];
  e.key = PrefixKey::of(prefix.addr);
  e.length = prefix.length;
  e.target.store(target.word, kRelaxed);
  if (!link(number, hash(e.key, prefix.length))) {
    free_entries_.put_back(number);
    return false;
  }
  ++size_;
  count_in(prefix, number);
  return true;
}

bool Prefix6Store::erase(const Prefix& prefix, Rcu& rcu) {
  const PrefixKey key = PrefixKey::of(prefix.addr);
  const Hash where = hash(key, prefix.length);
  const uint32_t number = find(key, prefix.length, where);
  if (number == kNoEntry) return false;
  unlink(number, where, rcu);
  count_out(prefix, number);
  --size_;
  rcu.defer([this, number] { free_entries_.put_back(number); });
  return true;
}

bool Prefix6Store::link(uint32_t number, Hash hash) {
  PrefixBucket* b = &buckets_[hash.bucket];
  unsigned place = find_place(*b, 0, 0);
  while (place == PrefixBucket::kEntries && next_of(*b) != 0) {
    b = &buckets_[next_of(*b)];
    place = find_place(*b, 0, 0);
  }
  if (place < PrefixBucket::kEntries) {
    b->entries[place].store(number, kRelease);
    set_tag(*b, place, hash.tag);
    return true;
  }
  uint32_t further;
  if (!free_buckets_.take(further)) return false;
  PrefixBucket& fresh = buckets_[further];
  fresh.entries[0].store(number, kRelease);
  fresh.tags[0].store(hash.tag, kRelease);
  fresh.tags[1].store(0, kRelease);
  set_next(*b, further);
  return true;
}

void Prefix6Store::unlink(uint32_t number, Hash hash, Rcu& rcu) {
  PrefixBucket* previous = nullptr;
  uint32_t at = hash.bucket;
  unsigned place = find_place(buckets_[at], hash.tag, number);
  while (place == PrefixBucket::kEntries) {
    previous = &buckets_[at];
    at = next_of(*previous);
    place = find_place(buckets_[at], hash.tag, number);
  }
  PrefixBucket& b = buckets_[at];
  set_tag(b, place, 0);
  if (previous == nullptr || !is_empty(b)) return;
  // Readers that are in the bucket still find their way on from it.
  set_next(*previous, next_of(b));
  rcu.defer([this, at] { free_buckets_.put_back(at); });
}

void Prefix6Store::count_in(const Prefix& prefix, uint32_t number) noexcept {
  OfLength& all = of_length_[prefix.length];
  ++all.count;
  all.numbers ^= number;
  only_[prefix.length].store(all.count == 1 ? number : kNoEntry, kRelease);
  if (all.count == 1) toggle_length(in_use_, prefix.length);
}

void Prefix6Store::count_out(const Prefix& prefix, uint32_t number) noexcept {
  OfLength& all = of_length_[prefix.length];
  --all.count;
  all.numbers ^= number;
  if (all.count == 0) toggle_length(in_use_, prefix.length);
  only_[prefix.length].store(all.count == 1 ? all.numbers : kNoEntry, kRelease);
}

bool Prefix6Store::Numbers::take(uint32_t& number) {
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
    return true;
  }
  if (fresh_ == end_) return false;
  number = fresh_++;
  return true;
}

}  // namespace wirelay::dataplane
