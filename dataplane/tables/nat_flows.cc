// A worker's mappings and flows, see nat_flows.h.
#include "dataplane/tables/nat_flows.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <netinet/in.h>

#include <rte_random.h>

#include "dataplane/tables/memory_order.h"
#include "dataplane/uint128.h"

namespace wirelay::dataplane {

namespace {

/// So many that few records share one: the second of a bucket is fetched by nobody ahead.
constexpr size_t kBucketsEach = 4;

/// A count with one writer.
void add_to(std::atomic<uint32_t>& count, uint32_t n) noexcept {
  count.store(count.load(kRelaxed) + n, kRelaxed);
}
void take_one(std::atomic<uint32_t>& count) noexcept {
  count.store(count.load(kRelaxed) - 1, kRelaxed);
}

uint64_t folded_product(uint64_t a, uint64_t b) noexcept {
  const Uint128 product = Uint128{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

NatFlows::NatFlows(NatTable& table, uint32_t records, uint64_t tsc_hz)
    : table_(table),
      tsc_hz_(tsc_hz),
      secret_{rte_rand(), rte_rand()},
      records_(size_t{records} + 1),
      buckets_(std::bit_ceil(size_t{records} * kBucketsEach)) {
  // All of it is there before the worker needs it.
  std::memset(static_cast<void*>(records_.data()), 0, records_.size() * sizeof(NatFlow));
  std::memset(buckets_.data(), 0, buckets_.size() * sizeof(uint32_t));
}

bool NatFlows::tracks(uint32_t protocol) const noexcept {
  return protocol == IPPROTO_TCP ||
         table_.settings.filtering == NatFiltering::kAddressAndPortDependent;
}

uint64_t NatFlows::hash(const NatKey& key) const noexcept {
  uint64_t words[3];
  std::memcpy(words, &key, sizeof words);
  const uint64_t first = folded_product(words[0] ^ secret_[0], words[1] ^ secret_[1]);
  return folded_product(first ^ secret_[1], words[2] ^ secret_[0]);
}

NatFlow* NatFlows::find(const NatKey& key, uint64_t hash) noexcept {
  for (uint32_t number = bucket(hash); number != 0; number = records_[number].next) {
    if (records_[number].key == key) return &records_[number];
  }
  return nullptr;
}

uint32_t NatFlows::flows_of(const NatUser& user) const noexcept {
  uint32_t flows = 0;
  for (const auto& block : user.blocks) {
    const uint32_t number = block.load(kRelaxed);
    if (number != 0) flows += table_.block(number - 1).flows.load(kRelaxed);
  }
  return flows;
}

Drop NatFlows::make(const NatKey& key, NatFlow*& flow) noexcept {
  const NatKey key_of_mapping = key.of_mapping();
  const NatFlow* known = find(key_of_mapping);
  NatUser& user = table_.user(key.user);
  if (flows_of(user) >= table_.limits_of(user).flows) return Drop::kNatFlows;
  const uint32_t needed = (known == nullptr ? 1u : 0u) + (tracks(key.protocol) ? 1u : 0u);
  if (capacity() - used() < needed) return Drop::kNatTableFull;
  uint32_t mapping = known == nullptr ? 0 : known->mapping;
  if (known == nullptr) {
    const Drop refusal = map(key_of_mapping, user, mapping);
    if (refusal != Drop::kNone) return refusal;
  }
  NatFlow& parent = records_[mapping];
  flow = &parent;
  if (tracks(key.protocol)) {
    const uint32_t number = enter(key);
    flow = &records_[number];
    flow->public_address = parent.public_address;
    flow->public_port = parent.public_port;
    flow->block = parent.block;
    flow->mapping = mapping;
    ++parent.children;
  }
  add_to(table_.block(flow->block).flows, 1);
  return Drop::kNone;
}

Drop NatFlows::map(const NatKey& key, NatUser& user, uint32_t& mapping) noexcept {
  bool closing = false;
  for (const auto& entry : user.blocks) {
    const uint32_t number = entry.load(std::memory_order_acquire);
    if (number == 0) continue;
    NatBlock& block = table_.block(number - 1);
    if (block.closing.load(kRelaxed)) {
      closing = true;
      continue;
    }
    const uint16_t port = table_.take_port(number - 1, rte_rand());
    if (port == 0) continue;
    mapping = enter(key);
    NatFlow& record = records_[mapping];
    record.public_address = table_.address_of(number - 1);
    record.public_port = port;
    record.block = number - 1;
    record.mapping = mapping;
    table_.mapping(number - 1, port) = mapping;
    add_to(block.mappings, 1);
    return Drop::kNone;
  }
  const uint32_t blocks = user.block_count();
  // One that is closing is soon taken back, or the user's again.
  const uint32_t most = table_.limits_of(user).blocks;
  if (blocks >= most && !closing) return Drop::kNatPorts;
  if (user.refused.load(kRelaxed)) return Drop::kNatNoBlock;
  user.wanted.store(std::min(blocks + 1, most), kRelaxed);
  return Drop::kNatBlockAwaited;
}

/// A record for the key, in its bucket; there is one.
uint32_t NatFlows::enter(const NatKey& key) noexcept {
  const uint32_t number = free_ != 0 ? free_ : fresh_++;
  NatFlow& record = records_[number];
  if (number == free_) free_ = record.next;
  uint32_t& first = bucket(hash(key));
  record = NatFlow{};
  record.key = key;
  record.next = first;
  first = number;
  add_to(used_, 1);
  return number;
}

void NatFlows::touch(NatFlow& flow, uint8_t tcp_flags, bool out) noexcept {
  if (flow.key.protocol == IPPROTO_TCP) {
    flow.tcp.see(tcp_flags, out);
  } else if (!out) {
    return;
  }
  const uint32_t deadline = now_ + lifetime(flow) + 1;  // the present second has begun already
  // Mostly it is that already: a line that is not written to need not go back to memory.
  if (flow.deadline != deadline) flow.deadline = deadline;
}

uint32_t NatFlows::lifetime(const NatFlow& flow) const noexcept {
  const NatSettings& settings = table_.settings;
  switch (flow.key.protocol) {
    case IPPROTO_TCP:
      return flow.tcp.established() ? settings.tcp_seconds : settings.tcp_transitory_seconds;
    case IPPROTO_UDP:
      return settings.udp_seconds;
    default:
      return settings.icmp_seconds;
  }
}

bool NatFlows::over(const NatFlow& flow, uint32_t number) const noexcept {
  if (flow.key.protocol == 0) return false;
  if (flow.mapping == number && flow.children != 0) return false;
  if (flow.deadline <= now_) return true;
  if (table_.user(flow.key.user).epoch.load(kRelaxed) != flow.key.epoch) return true;
  // A port that a rule has got since leads elsewhere.
  const auto protocol = static_cast<uint8_t>(flow.key.protocol);
  return table_.statics()
      .inward(flow.public_address, protocol, __builtin_bswap16(flow.public_port))
      .has_value();
}

void NatFlows::age(uint64_t tsc) noexcept {
  now_ = static_cast<uint32_t>(tsc / tsc_hz_);
  const uint64_t lap = kLapSeconds * tsc_hz_;
  const uint32_t records = fresh_ - 1;
  uint64_t due = static_cast<uint64_t>(Uint128{tsc - looked_} * records / lap);
  if (due == 0) return;
  due = std::min({due, kMostAtOnce, uint64_t{records}});
  looked_ = tsc;
  for (uint64_t i = 0; i < due; ++i) {
    const uint32_t number = next_look_;
    next_look_ = number >= records ? 1 : number + 1;
    if (over(records_[number], number)) end(number);
  }
}

void NatFlows::end(uint32_t number) noexcept {
  NatFlow& record = records_[number];
  uint32_t* link = &bucket(hash(record.key));
  while (*link != number) link = &records_[*link].next;
  *link = record.next;
  const bool is_mapping = record.mapping == number;
  if (!is_mapping || !tracks(record.key.protocol)) take_one(table_.block(record.block).flows);
  if (is_mapping) end_mapping(record);
  const uint32_t parent = record.mapping;
  record = NatFlow{};
  record.next = free_;
  free_ = number;
  take_one(used_);
  if (!is_mapping && --records_[parent].children == 0) end(parent);
}

void NatFlows::end_mapping(const NatFlow& mapping) noexcept {
  table_.mapping(mapping.block, mapping.public_port) = 0;
  table_.give_port(mapping.block, mapping.public_port);
  take_one(table_.block(mapping.block).mappings);
}

}  // namespace wirelay::dataplane
