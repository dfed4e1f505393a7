// Reserving, publishing and retiring sessions.
#include "dataplane/tables/session_writer.h"

#include <algorithm>
#include <utility>

#include "crypto/keys.h"
#include "dataplane/tables/commit_ahead.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::dataplane {

Traffic& Traffic::operator+=(const Traffic& o) noexcept {
  rx_packets += o.rx_packets;
  rx_bytes += o.rx_bytes;
  tx_packets += o.tx_packets;
  tx_bytes += o.tx_bytes;
  return *this;
}

Traffic traffic_of(const Session& session) noexcept {
  return {session.rx_packets.load(kRelaxed), session.rx_bytes.load(kRelaxed),
          session.tx_packets.load(kRelaxed) + session.own_tx_packets.load(kRelaxed),
          session.tx_bytes.load(kRelaxed) + session.own_tx_bytes.load(kRelaxed)};
}

SessionWriter::SessionWriter(SessionTable& table, Rcu& rcu)
    : table_(table), rcu_(rcu), loads_(table.workers()) {}

std::optional<uint32_t> SessionWriter::reserve(uint32_t peer, uint32_t owner) {
  uint32_t number;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else if (fresh_ < table_.slots()) {
    number = fresh_++;
    slots_.emplace_back();
    reached(table_.sessions_, number);
    reached(table_.awaited_, number);
    reached(table_.replay_, size_t{number} * table_.replay_words(), table_.replay_words());
  } else {
    return std::nullopt;
  }
  Slot& slot = slots_[number];
  slot = {fresh_index(number, owner, slot.index), peer, State::kReserved};
  ++in_use_;
  ++loads_[owner];
  table_.awaited_[number].store(slot.index, std::memory_order_release);
  return slot.index;
}

uint32_t SessionWriter::fresh_index(uint32_t slot, uint32_t owner, uint32_t last) const noexcept {
  const IndexLayout& layout = table_.layout();
  const unsigned shift = layout.slot_bits + layout.owner_bits;
  while (true) {
    // Zero names no session. The last tag is not used again, so that packets for the slot's last
    // session are never taken for this one's.
    const uint32_t tag = crypto::random_u32() >> shift;
    const uint32_t index = layout.index(slot, owner, tag);
    if (index != 0 && (last == 0 || tag != layout.tag(last))) return index;
  }
}

const SessionWriter::Slot* SessionWriter::holder(uint32_t index) const noexcept {
  const uint32_t number = table_.layout().slot(index);
  if (number >= slots_.size() || slots_[number].index != index) return nullptr;
  const Slot& slot = slots_[number];
  return slot.state == State::kReserved || slot.state == State::kPublished ? &slot : nullptr;
}

uint32_t SessionWriter::least_loaded() const noexcept {
  return static_cast<uint32_t>(std::ranges::min_element(loads_) - loads_.begin());
}

std::optional<uint32_t> SessionWriter::peer_of(uint32_t index) const {
  const Slot* slot = holder(index);
  if (slot == nullptr) return std::nullopt;
  return slot->peer;
}

Session& SessionWriter::publish(const crypto::TransportKeys& keys, uint64_t reject_tsc) {
  const uint32_t number = table_.layout().slot(keys.local_index);
  Session& s = table_.sessions_[number];

  s.peer = slots_[number].peer;
  std::copy_n(keys.receive.data(), sizeof s.receive_key, s.receive_key);
  s.replay_words = &table_.replay_[size_t{number} * table_.replay_words()];
  s.reject_tsc = reject_tsc;
  ++s.generation;
  s.initiator = keys.initiator;

  std::fill_n(s.replay_words, table_.replay_words(), 0);
  s.replay_front = {};
  s.rx_packets.store(0, kRelaxed);
  s.rx_bytes.store(0, kRelaxed);
  s.rx_tsc.store(0, kRelaxed);
  s.rx_data_tsc.store(0, kRelaxed);
  s.own_moved = 0;
  s.confirmed = s.unreported = false;

  std::copy_n(keys.send.data(), sizeof s.send_key, s.send_key);
  s.remote_index = keys.remote_index;
  s.send_reject_tsc = reject_tsc;
  s.moved.store(0, kRelaxed);

  s.send_counter.store(0, kRelaxed);
  s.tx_tsc.store(0, kRelaxed);
  s.tx_data_tsc.store(0, kRelaxed);
  s.tx_packets.store(0, kRelaxed);
  s.tx_bytes.store(0, kRelaxed);
  s.own_counter = 0;
  s.own_tx_packets.store(0, kRelaxed);
  s.own_tx_bytes.store(0, kRelaxed);

  slots_[number].state = State::kPublished;
  table_.awaited_[number].store(0, std::memory_order_release);
  s.send_index.store(keys.local_index, std::memory_order_release);
  s.index.store(keys.local_index, std::memory_order_release);
  return s;
}

void SessionWriter::retire(uint32_t index, std::function<void(const Traffic&)> last) {
  if (holder(index) == nullptr) return;
  const uint32_t number = table_.layout().slot(index);
  if (slots_[number].state == State::kReserved) {  // no worker holds it
    table_.awaited_[number].store(0, std::memory_order_release);
    release(number);
    return;
  }
  slots_[number].state = State::kRetired;
  table_.sessions_[number].index.store(0, std::memory_order_release);
  table_.sessions_[number].send_index.store(0, std::memory_order_release);
  rcu_.defer([this, number, last = std::move(last)] {
    Session& s = table_.sessions_[number];
    const Traffic traffic = traffic_of(s);
    crypto::wipe(s.receive_key, sizeof s.receive_key);
    crypto::wipe(s.send_key, sizeof s.send_key);
    release(number);
    if (last) last(traffic);
  });
}

void SessionWriter::release(uint32_t number) {
  slots_[number].state = State::kFree;
  free_.push_back(number);
  --in_use_;
  --loads_[table_.layout().owner(slots_[number].index)];
}

}  // namespace wirelay::dataplane
