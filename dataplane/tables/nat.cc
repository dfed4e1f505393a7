// Addresses, blocks and ports of NAT44, see nat.h.
#include "dataplane/tables/nat.h"

#include <bit>

namespace wirelay::dataplane {

namespace {

uint64_t addresses_in(const Prefix& pool) noexcept { return uint64_t{1} << (128 - pool.length); }

}  // namespace

uint64_t count_addresses(const std::vector<Prefix>& pools) noexcept {
  uint64_t count = 0;
  for (const Prefix& pool : pools) count += addresses_in(pool);
  return count;
}

NatTable::NatTable(const NatSettings& wanted, uint32_t users)
    : settings(wanted),
      blocks_each(kNatPorts / wanted.block_ports),
      owned_statics_(std::make_shared<const NatStatics>(wanted.statics)),
      statics_(owned_statics_.get()),
      most_blocks_(wanted.each.blocks),
      most_flows_(wanted.each.flows),
      blocks_(count_addresses(wanted.pools) * blocks_each),
      users_(users),
      mappings_(blocks_.size() * wanted.block_ports, Memory::kSparse),
      taken_(blocks_.size() * words_each(), Memory::kSparse) {
  for (const Prefix& pool : settings.pools) {
    const uint32_t first = __builtin_bswap32(pool.addr.v4_be());
    const auto count = static_cast<uint32_t>(addresses_in(pool));
    ranges_.push_back({first, count, address_count()});
    for (uint32_t i = 0; i < count; ++i) addresses_.push_back(__builtin_bswap32(first + i));
  }
  for (uint32_t index = 0; index < address_count(); ++index) {
    for (const uint16_t port : settings.reserved) reserve(index, port);
  }
}

void NatTable::reserve(uint32_t index, uint16_t port) noexcept {
  const uint32_t block = block_of(index, port);
  if (block == kNatNone) return;
  const uint32_t place = port - first_port(block);
  taken_[size_t{block} * words_each() + place / kWordBits] |= uint64_t{1} << place % kWordBits;
}

uint16_t NatTable::take_port(uint32_t block, uint64_t random) noexcept {
  const uint32_t words = words_each();
  uint64_t* taken = &taken_[size_t{block} * words];
  const auto turn = static_cast<int>(random % kWordBits);
  const auto first_word = static_cast<uint32_t>(random >> 32) % words;
  for (uint32_t i = 0; i < words; ++i) {
    const uint32_t word = (first_word + i) % words;
    for (uint64_t free = std::rotr(~taken[word], turn); free != 0; free &= free - 1) {
      const auto bit = static_cast<uint32_t>(std::countr_zero(free) + turn) % kWordBits;
      const auto port = static_cast<uint16_t>(first_port(block) + word * kWordBits + bit);
      if (is_forwarded(address_of(block), __builtin_bswap16(port))) continue;
      taken[word] |= uint64_t{1} << bit;
      return port;
    }
  }
  return 0;
}

void NatTable::give_port(uint32_t block, uint16_t port) noexcept {
  const uint32_t place = port - first_port(block);
  taken_[size_t{block} * words_each() + place / kWordBits] &= ~(uint64_t{1} << place % kWordBits);
}

}  // namespace wirelay::dataplane
