// Entries and their numbers.
#include "ctrl/neighbour/table.h"

#include <algorithm>
#include <cstring>

namespace wirelay::ctrl {

using dataplane::Adjacency;
using dataplane::IpAddr;

size_t NeighbourTable::Hash::operator()(const Key& key) const noexcept {
  uint64_t words[2];
  std::memcpy(words, key.addr.bytes.data(), sizeof words);
  return (words[0] ^ words[1] * 0x9e3779b97f4a7c15 ^ key.port) * 0xff51afd7ed558ccd;
}

NeighbourTable::NeighbourTable(dataplane::AdjacencyTable& adjacencies, dataplane::Rcu& rcu,
                               size_t ports)
    : adjacencies_(adjacencies),
      rcu_(rcu),
      share_(adjacencies.capacity() / std::max<size_t>(ports, 1)),
      unused_(std::make_shared<Unused>()) {}

std::optional<uint16_t> NeighbourTable::find(uint16_t port, const IpAddr& addr) const {
  const auto found = numbers_.find({addr, port});
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

size_t NeighbourTable::room(uint16_t port) const noexcept {
  return share_ - unused_->taken[port] + unused_->leaving[port];
}

std::optional<uint16_t> NeighbourTable::add(uint16_t port, const IpAddr& addr) {
  if (unused_->taken[port] == share_) return std::nullopt;
  ++unused_->taken[port];
  uint16_t number;
  if (!unused_->free.empty()) {
    number = unused_->free.back();
    unused_->free.pop_back();
  } else {  // all shares together are no more than there are numbers
    number = static_cast<uint16_t>(entries_.size());
    entries_.emplace_back();
  }
  entries_[number] = Neighbour{};
  entries_[number].addr = addr;
  entries_[number].port = port;
  entries_[number].state = Neighbour::State::kIdle;
  adjacencies_[number].port = port;
  numbers_[{addr, port}] = number;
  return number;
}

void NeighbourTable::remove(uint16_t number) {
  Neighbour& n = entries_[number];
  const uint16_t port = n.port;
  numbers_.erase({n.addr, port});
  withdraw(number);
  n = Neighbour{};
  ++unused_->leaving[port];
  rcu_.defer([unused = unused_, number, port] {
    --unused->leaving[port];
    --unused->taken[port];
    unused->free.push_back(number);
  });
}

void NeighbourTable::publish(uint16_t number, const rte_ether_addr& mac) noexcept {
  entries_[number].mac = mac;
  uint64_t word = 0;
  std::memcpy(&word, &mac, sizeof mac);
  adjacencies_[number].mac_word.store(word | Adjacency::kResolved, std::memory_order_release);
}

void NeighbourTable::withdraw(uint16_t number) noexcept {
  adjacencies_[number].mac_word.store(0, std::memory_order_release);
}

bool NeighbourTable::take_used(uint16_t number) noexcept {
  return adjacencies_[number].used.exchange(false, std::memory_order_relaxed);
}

}  // namespace wirelay::ctrl
