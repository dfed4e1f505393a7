// Bits of addresses.
#include "ctrl/users/address_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <arpa/inet.h>

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::Prefix;

namespace {

constexpr uint32_t kBitsOfWord = 64;
constexpr uint8_t kSingle = 128;  // length of a prefix of one address
constexpr size_t kHighBytes = 12;

bool get(const std::vector<uint64_t>& bits, uint32_t at) {
  return (bits[at / kBitsOfWord] >> at % kBitsOfWord & 1) != 0;
}
void put(std::vector<uint64_t>& bits, uint32_t at, bool to) {
  const uint64_t bit = uint64_t{1} << at % kBitsOfWord;
  to ? bits[at / kBitsOfWord] |= bit : bits[at / kBitsOfWord] &= ~bit;
}

uint32_t low_word(const IpAddr& address) { return ntohl(address.v4_be()); }

/// Of a prefix, as far as they matter here.
uint64_t addresses_of(uint8_t length) {
  constexpr unsigned kEnough = 32;
  return uint64_t{1} << std::min<unsigned>(kSingle - length, kEnough);
}

}  // namespace

AddressPool::AddressPool(const Prefix& prefix)
    : prefix_(prefix),
      capacity_(static_cast<uint32_t>(std::min<uint64_t>(addresses_of(prefix.length), kMost))),
      size_(capacity_),
      used_(capacity_ / kBitsOfWord + 1),
      reserved_(used_.size()),
      held_(used_.size()) {
  // The network's own address, and the broadcast address or the routers' anycast address.
  reserve({prefix.addr, kSingle});
  if (prefix.is_v4()) reserve({address(capacity_ - 1), kSingle});
}

std::optional<uint32_t> AddressPool::offset(const IpAddr& address) const {
  if (std::memcmp(address.bytes.data(), prefix_.addr.bytes.data(), kHighBytes) != 0) {
    return std::nullopt;
  }
  const uint32_t offset = low_word(address) - low_word(prefix_.addr);
  return low_word(address) >= low_word(prefix_.addr) && offset < capacity_ ? std::optional(offset)
                                                                           : std::nullopt;
}

IpAddr AddressPool::address(uint32_t offset) const {
  IpAddr address = prefix_.addr;
  const uint32_t low = htonl(low_word(address) + offset);
  std::memcpy(&address.bytes[kHighBytes], &low, sizeof low);
  return dataplane::mask_to(address, kSingle);
}

void AddressPool::set(Bits& bits, const IpAddr& address, bool to) const {
  if (const auto at = offset(address)) put(bits, *at, to);
}

void AddressPool::reserve(const Prefix& prefix) {
  const bool around = prefix.length <= prefix_.length && prefix.contains(prefix_.addr);
  const auto first = around ? std::optional(0u) : offset(prefix.addr);
  if (!first) return;
  const auto end = static_cast<uint32_t>(
      around ? capacity_ : std::min<uint64_t>(capacity_, *first + addresses_of(prefix.length)));
  for (uint32_t at = *first; at < end; ++at) {
    if (get(reserved_, at)) continue;
    put(reserved_, at, true);
    --size_;
  }
}

void AddressPool::take(const Prefix& prefix) {
  if (prefix.length != kSingle) return count_network(prefix, 1);
  const auto at = offset(prefix.addr);
  if (!at || get(used_, *at)) return;
  put(used_, *at, true);
  ++used_count_;
  cursor_ = *at + 1;
}

void AddressPool::give_back(const Prefix& prefix) {
  if (prefix.length != kSingle) return count_network(prefix, -1);
  const auto at = offset(prefix.addr);
  if (!at || !get(used_, *at)) return;
  put(used_, *at, false);
  --used_count_;
}

/// One that holds all of the pool leads elsewhere what nobody in it has.
void AddressPool::count_network(const Prefix& prefix, int by) {
  if (prefix.length <= prefix_.length || !offset(prefix.addr)) return;
  auto& of_length = networks_[prefix.length];
  uint32_t& count = of_length[prefix.addr];
  count += static_cast<uint32_t>(by);
  if (count != 0) return;
  of_length.erase(prefix.addr);
  if (of_length.empty()) networks_.erase(prefix.length);
}

uint32_t AddressPool::behind_networks(uint32_t offset_) const {
  const IpAddr here = address(offset_);
  for (const auto& [length, networks] : networks_) {
    const IpAddr network = dataplane::mask_to(here, length);
    if (!networks.contains(network)) continue;
    return static_cast<uint32_t>(
        std::min<uint64_t>(capacity_, *offset(network) + addresses_of(length)));
  }
  return offset_;
}

bool AddressPool::is_free(const IpAddr& address) const {
  const auto at = offset(address);
  return at && !get(used_, *at) && !get(reserved_, *at) && behind_networks(*at) == *at;
}

std::optional<IpAddr> AddressPool::next() const {
  const uint32_t middle = std::min(cursor_, capacity_);
  for (const bool held_too : {false, true}) {
    auto found = find(middle, capacity_, held_too);
    if (!found) found = find(0, middle, held_too);
    if (found) return address(*found);
  }
  return std::nullopt;
}

std::optional<uint32_t> AddressPool::find(uint32_t from, uint32_t to, bool held_too) const {
  while (from < to) {
    const auto found = find_bit(from, to, held_too);
    if (!found) break;
    from = behind_networks(*found);
    if (from == *found) return found;
  }
  return std::nullopt;
}

std::optional<uint32_t> AddressPool::find_bit(uint32_t from, uint32_t to, bool held_too) const {
  while (from < to) {
    const uint32_t word = from / kBitsOfWord;
    const uint64_t taken = used_[word] | reserved_[word] | (held_too ? 0 : held_[word]);
    const uint64_t free = ~taken & ~uint64_t{0} << from % kBitsOfWord;
    if (free != 0) {
      const uint32_t at = word * kBitsOfWord + static_cast<uint32_t>(std::countr_zero(free));
      return at < to ? std::optional(at) : std::nullopt;
    }
    from = (word + 1) * kBitsOfWord;
  }
  return std::nullopt;
}

}  // namespace wirelay::ctrl
