// Addresses given, given back, and remembered.
#include "ctrl/users/address_book.h"

#include <algorithm>
#include <ranges>

#include "ctrl/base/now.h"
#include "ctrl/users/registry.h"

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::Prefix;

namespace {

constexpr uint8_t kHost = 128;

bool holds(const PeerSpec* peer, const Prefix& prefix) {
  return peer != nullptr && std::ranges::find(peer->allowed_ips, prefix) != peer->allowed_ips.end();
}

}  // namespace

AddressBook::AddressBook(const RegistryLimits& limits) {
  for (const PoolConfig& config : limits.pools) {
    AddressPool& pool = pools_.emplace_back(config.prefix);
    for (const IpAddr& address : config.reserved) pool.reserve({address, kHost});
    for (const Prefix& prefix : limits.reserved) pool.reserve(prefix);
    for (const auto& [address, what] : limits.no_peers) pool.reserve({address, kHost});
    for (const Prefix& route : limits.routed) {
      if (route.length > config.prefix.length) pool.reserve(route);
    }
  }
}

std::vector<PoolUse> AddressBook::use() const {
  std::vector<PoolUse> all;
  for (const AddressPool& pool : pools_) all.push_back({pool.prefix(), pool.size(), pool.used()});
  return all;
}

void AddressBook::change(const PeerSpec* before, const PeerSpec* after) {
  if (pools_.empty()) return;
  if (before != nullptr && after != nullptr && before->allowed_ips == after->allowed_ips) return;
  if (before != nullptr) {
    for (const Prefix& prefix : before->allowed_ips) {
      for (AddressPool& pool : pools_) pool.give_back(prefix);
      if (prefix.length == kHost && !holds(after, prefix)) {
        remember({before->public_key, prefix.addr, unix_seconds()});
      }
    }
  }
  if (after == nullptr) return;
  for (const Prefix& prefix : after->allowed_ips) {
    for (AddressPool& pool : pools_) pool.take(prefix);
  }
}

void AddressBook::remember(const ReleasedAddress& released) {
  const bool v4 = released.address.is_v4();
  const bool ours = std::ranges::any_of(
      pools_, [&](const AddressPool& pool) { return pool.is_free(released.address); });
  if (!ours) return;
  by_key_[released.key].of(v4) = released;
  released_.push_back(released);
  for (AddressPool& pool : pools_) pool.hold(released.address);
  const uint64_t now = unix_seconds();
  while (released_.size() > kMostReleased ||
         (!released_.empty() && now >= released_.front().unix_seconds + kSecondsKept)) {
    forget_oldest();
  }
}

void AddressBook::forget_oldest() {
  const ReleasedAddress oldest = released_.front();
  released_.pop_front();
  for (AddressPool& pool : pools_) pool.let_go(oldest.address);
  const auto found = by_key_.find(oldest.key);
  if (found == by_key_.end()) return;
  Had& had = found->second;
  ReleasedAddress& same = had.of(oldest.address.is_v4());
  if (same == oldest) same = {};
  if (had.v4.unix_seconds == 0 && had.v6.unix_seconds == 0) by_key_.erase(found);
}

std::optional<IpAddr> AddressBook::recall(const crypto::PublicKey& key, bool v4) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const ReleasedAddress& had = v4 ? found->second.v4 : found->second.v6;
  const bool lately = had.unix_seconds != 0 && unix_seconds() < had.unix_seconds + kSecondsKept;
  return lately ? std::optional(had.address) : std::nullopt;
}

void AddressBook::restore(std::span<const ReleasedAddress> released) {
  for (const ReleasedAddress& one : released) remember(one);
}

std::vector<Prefix> pick_addresses(const std::vector<AddressPool>& pools,
                                   const std::optional<IpAddr>& recalled_v4,
                                   const std::optional<IpAddr>& recalled_v6, std::string& full) {
  std::vector<Prefix> picked;
  for (const bool v4 : {true, false}) {
    const auto& recalled = v4 ? recalled_v4 : recalled_v6;
    std::optional<IpAddr> address;
    std::string names;
    for (const AddressPool& pool : pools) {
      if (pool.prefix().is_v4() != v4) continue;
      names += (names.empty() ? "" : ", ") + to_string(pool.prefix());
      if (!address && recalled && pool.is_free(*recalled)) address = recalled;
    }
    for (const AddressPool& pool : pools) {
      if (!address && pool.prefix().is_v4() == v4) address = pool.next();
    }
    if (address) {
      picked.push_back({*address, kHost});
    } else if (!names.empty()) {
      full = names;
      return {};
    }
  }
  return picked;
}

}  // namespace wirelay::ctrl
