// Who has which block of ports, see nat_writer.h.
#include "dataplane/tables/nat_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/tables/memory_order.h"

namespace wirelay::dataplane {

NatWriter::NatWriter(NatTable& table, Rcu& rcu, Tell tell)
    : table_(table),
      rcu_(rcu),
      tell_(std::move(tell)),
      addresses_(table.address_count()),
      states_(table.block_count()),
      inside_(table.block_count()),
      idle_since_(table.block_count()),
      free_count_(table.block_count()) {}

std::optional<unsigned> NatWriter::serve(uint32_t number, unsigned worker, uint32_t inside) {
  NatUser& user = table_.user(number);
  const uint32_t owner = user.owner.load(kRelaxed);
  const uint32_t count = user.block_count();
  // Another has it, or it has got what it asked for since.
  const bool served = owner != 0 && (owner != worker + 1 || user.wanted.load(kRelaxed) <= count);
  if (served || count >= table_.limits_of(user).blocks) return owner - 1;
  const auto taken = take_block(user);
  if (!taken) {
    if (!user.refused.exchange(true, kRelaxed)) refused_.push_back(number);
    return std::nullopt;
  }
  // What an owner before this one has asked for is over.
  if (owner == 0) user.wanted.store(0, kRelaxed);
  // The owner does not wait for its memory then.
  std::memset(&table_.mapping(*taken, table_.first_port(*taken)), 0,
              table_.settings.block_ports * sizeof(uint32_t));
  NatBlock& block = table_.block(*taken);
  block.owner.store(worker + 1, kRelaxed);
  block.closing.store(false, kRelaxed);
  block.user.store(number + 1, kRelease);
  states_[*taken] = State::kHeld;
  given_.push_back(*taken);
  inside_[*taken] = inside;
  idle_since_[*taken] = 0;
  for (auto& entry : user.blocks) {
    if (entry.load(kRelaxed) != 0) continue;
    entry.store(*taken + 1, kRelease);
    break;
  }
  user.owner.store(worker + 1, kRelease);
  tell(true, number, *taken);
  return worker;
}

/// Of the address that the user has blocks of; else of the next that has any left.
std::optional<uint32_t> NatWriter::take_block(const NatUser& user) {
  for (const auto& entry : user.blocks) {
    const uint32_t block = entry.load(kRelaxed);
    if (block == 0) continue;
    const uint32_t address = (block - 1) / table_.blocks_each;
    if (!has_free(addresses_[address])) return std::nullopt;
    return take_of(address);
  }
  if (free_count_ == 0) return std::nullopt;
  while (!has_free(addresses_[next_address_])) {
    next_address_ = (next_address_ + 1) % table_.address_count();
  }
  const uint32_t address = next_address_;
  next_address_ = (next_address_ + 1) % table_.address_count();
  return take_of(address);
}

uint32_t NatWriter::take_of(uint32_t number) {
  Address& address = addresses_[number];
  --free_count_;
  const uint32_t first = number * table_.blocks_each;
  if (address.fresh != table_.blocks_each) return first + address.fresh++;
  const uint32_t block = first + address.returned.front();
  address.returned.erase(address.returned.begin());
  return block;
}

void NatWriter::remove_user(uint32_t number) {
  NatUser& user = table_.user(number);
  user.epoch.store(user.epoch.load(kRelaxed) + 1, kRelease);
  user.owner.store(0, kRelaxed);
  for (auto& entry : user.blocks) {
    const uint32_t block = entry.exchange(0, kRelaxed);
    if (block == 0) continue;
    table_.block(block - 1).closing.store(true, kRelaxed);
    table_.block(block - 1).user.store(0, kRelease);
    states_[block - 1] = State::kLeaving;
    tell(false, number, block - 1);
    rcu_.defer([this, block] { states_[block - 1] = State::kLeft; });
  }
}

void NatWriter::set_statics(std::shared_ptr<const NatStatics> statics) {
  rcu_.defer([before = table_.exchange(std::move(statics))] {});  // keeps it until then
}

void NatWriter::tick(uint64_t now, uint32_t most) {
  if (now != now_) {
    for (const uint32_t user : std::exchange(refused_, {})) {
      table_.user(user).refused.store(false, kRelaxed);
    }
  }
  now_ = now;
  while (!resting_.empty() && resting_.front().until <= now) {
    const uint32_t block = resting_.front().block;
    resting_.pop_front();
    addresses_[block / table_.blocks_each].returned.push_back(
        static_cast<uint16_t>(block % table_.blocks_each));
    ++free_count_;
  }
  for (size_t i = std::min<size_t>(most, given_.size()); i != 0; --i) {
    if (next_look_ >= given_.size()) next_look_ = 0;
    if (look(given_[next_look_], now)) {
      given_[next_look_] = given_.back();
      given_.pop_back();
    } else {
      ++next_look_;
    }
  }
}

bool NatWriter::look(uint32_t number, uint64_t now) {
  NatBlock& block = table_.block(number);
  const bool idle = block.mappings.load(kRelaxed) == 0;
  if (states_[number] == State::kLeft) {
    if (idle) rest(number);
    return idle;
  }
  if (states_[number] != State::kHeld) return false;
  if (!idle) {
    idle_since_[number] = 0;
  } else if (idle_since_[number] == 0) {
    idle_since_[number] = now;
  } else if (now - idle_since_[number] >= kIdleSeconds) {
    // Whoever is making a mapping in it has made it behind the grace period.
    block.closing.store(true, kRelease);
    states_[number] = State::kClosing;
    rcu_.defer([this, number] { settle(number); });
  }
  return false;
}

void NatWriter::settle(uint32_t number) {
  if (states_[number] != State::kClosing) return;  // its user was removed meanwhile
  NatBlock& block = table_.block(number);
  if (block.mappings.load(kRelaxed) != 0) {
    states_[number] = State::kHeld;
    idle_since_[number] = 0;
    block.closing.store(false, kRelease);
    return;
  }
  const uint32_t user = block.user.load(kRelaxed) - 1;
  unlink(user, number);
  block.user.store(0, kRelease);
  tell(false, user, number);
  states_[number] = State::kLeft;  // it rests when it is looked at next
}

/// With the last block the owner goes, too: the next may be another.
void NatWriter::unlink(uint32_t number, uint32_t block) {
  NatUser& user = table_.user(number);
  for (auto& entry : user.blocks) {
    if (entry.load(kRelaxed) == block + 1) entry.store(0, kRelease);
  }
  if (user.block_count() == 0) user.owner.store(0, kRelease);
}

void NatWriter::rest(uint32_t block) {
  states_[block] = State::kFree;
  resting_.push_back({block, now_ + kRestSeconds});
}

void NatWriter::tell(bool given, uint32_t user, uint32_t block) const {
  const uint16_t first = table_.first_port(block);
  tell_({given, user, table_.address_of(block), first,
         static_cast<uint16_t>(first + table_.settings.block_ports - 1), inside_[block]});
}

}  // namespace wirelay::dataplane
