// Rules of NAT44, see nat_statics.h.
#include "dataplane/tables/nat_statics.h"

#include <bit>

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kSpreadOfKeys = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio

size_t place_of(uint64_t key, size_t size) noexcept {
  return (key * kSpreadOfKeys >> 32) & (size - 1);
}

uint16_t network_order(uint32_t port) noexcept {
  return __builtin_bswap16(static_cast<uint16_t>(port));
}

}  // namespace

NatStatics::NatStatics(const std::vector<NatStatic>& rules) {
  size_t ends = 0;
  for (const NatStatic& rule : rules) ends += rule.protocol == 0 ? 1 : rule.count;
  if (ends == 0) return;
  inward_.resize(std::bit_ceil(2 * ends));
  outward_.resize(inward_.size());
  for (const NatStatic& rule : rules) {
    if (rule.protocol == 0) {
      enter(inward_, key_of(rule.address, 0, 0), {rule.inside, 0});
      enter(outward_, key_of(rule.inside, 0, 0), {rule.address, 0});
      continue;
    }
    for (uint32_t i = 0; i < rule.count; ++i) {
      const End outside{rule.address, network_order(rule.port + i)};
      const End inside{rule.inside, network_order(rule.inside_port + i)};
      enter(inward_, key_of(outside.address, rule.protocol, outside.port), inside);
      enter(outward_, key_of(inside.address, rule.protocol, inside.port), outside);
    }
  }
}

void NatStatics::enter(Table& table, uint64_t key, const End& to) {
  size_t place = place_of(key, table.size());
  while (table[place].key != 0) place = (place + 1) & (table.size() - 1);
  table[place] = {key, to};
}

const NatStatics::Entry* NatStatics::look(const Table& table, uint64_t key) noexcept {
  for (size_t place = place_of(key, table.size()); table[place].key != 0;
       place = (place + 1) & (table.size() - 1)) {
    if (table[place].key == key) return &table[place];
  }
  return nullptr;
}

std::optional<NatStatics::End> NatStatics::find(const Table& table, uint32_t address,
                                                uint8_t protocol, uint16_t port) noexcept {
  if (table.empty()) return std::nullopt;
  if (const Entry* entry = look(table, key_of(address, protocol, port))) return entry->to;
  // All of the address: the port stays.
  if (const Entry* entry = look(table, key_of(address, 0, 0))) return End{entry->to.address, port};
  return std::nullopt;
}

}  // namespace wirelay::dataplane
