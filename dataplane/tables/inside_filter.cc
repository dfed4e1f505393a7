// Counting which places hold prefixes, see inside_filter.h.
#include "dataplane/tables/inside_filter.h"

namespace wirelay::dataplane {

InsideFilter::InsideFilter() : prefixes_(std::make_unique<uint32_t[]>(size_t{2} * kPlaces)) {}

void InsideFilter::count(const Prefix& prefix, int by) noexcept {
  const bool v4 = prefix.is_v4();
  // A prefix that is shorter than a place's holds many: of IPv4 those that follow each other, of
  // IPv6, where places are mixed, any.
  uint32_t first = v4 ? place4(prefix.addr) : kPlaces + place6(prefix.addr), places = 1;
  if (v4 && prefix.length < kBits4) places = 1u << (kBits4 - prefix.length);
  if (!v4 && prefix.length < kBits6) {
    first = kPlaces;
    places = kPlaces;
  }
  for (uint32_t place = first; place < first + places; ++place) count_place(place, by);
}

void InsideFilter::count_place(uint32_t place, int by) noexcept {
  prefixes_[place] += static_cast<uint32_t>(by);
  const uint64_t bit = uint64_t{1} << place % 64;
  std::atomic<uint64_t>& word = bits_[place / 64];
  const uint64_t others = word.load(std::memory_order_relaxed) & ~bit;
  word.store(prefixes_[place] != 0 ? others | bit : others, std::memory_order_release);
}

}  // namespace wirelay::dataplane
