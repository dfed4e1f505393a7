// Numbers for users and peers, and what is told of them to tables and protocol.
#include "ctrl/users/publisher.h"

#include <stdexcept>

#include <rte_cycles.h>

#include "ctrl/users/give_name.h"

namespace wirelay::ctrl {

namespace {

/// A full table waits a tenth of a second for what was removed: workers pass a quiescent state
/// every few microseconds, or sleep and hold nothing.
constexpr uint64_t kWaitsPerSecond = 10;

}  // namespace

Publisher::Publisher(dataplane::Shared& shared, dataplane::PeerWriter& peers, Protocol& protocol)
    : shared_(shared),
      peers_(peers),
      protocol_(protocol),
      quotas_(shared.users),
      expiries_(shared.users, protocol) {
  // To grow later would be a pause.
  users_.reserve(shared_.users.capacity());
  users_by_number_.reserve(shared_.users.capacity());
  peer_numbers_.reserve(shared_.peers.capacity());
  peers_by_number_.reserve(shared_.peers.capacity());
}

uint64_t Publisher::police_now() const { return shared_.users.time(rte_rdtsc()); }

std::optional<uint32_t> Publisher::take_number() {
  if (!free_.empty()) {
    const uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  if (fresh_ == shared_.users.capacity()) return std::nullopt;
  return fresh_++;
}

bool Publisher::tell(const ChangeEvent& event) {
  const bool told = std::visit([this](const auto& e) { return tell_of(e); }, event);
  if (told) waiting_since_.reset();
  return told;
}

bool Publisher::tell_of(const UserEvent& event) {
  if (!event.before) return add(event.after);
  if (!event.after) {
    remove(*event.before);
  } else {
    change(event);
  }
  return true;
}

bool Publisher::tell_of(const PeerEvent& event) {
  if (!event.before) return add(event.after);
  if (event.after) return change(event);
  remove(*event.before);
  return true;
}

bool Publisher::tick(const Now& now, Slice::Clock::duration time) {
  const bool expiries_done = expiries_.tick(now, Slice(time));
  return quotas_.tick(now, Slice(time)) && expiries_done;
}

bool Publisher::wait_for_room(const char* what) {
  const uint64_t now = rte_rdtsc();
  if (!waiting_since_) waiting_since_ = now;
  if (shared_.rcu.pending() != 0 && now - *waiting_since_ < shared_.tsc_hz / kWaitsPerSecond) {
    return false;
  }
  waiting_since_.reset();
  throw std::runtime_error(std::string("no room in the relay's tables for ") + what);
}

bool Publisher::add(const UserPtr& user) {
  const auto number = take_number();
  if (!number) return wait_for_room("another user (sizes.users)");
  const uint64_t now = police_now();
  shared_.users.reset(*number, now);
  shared_.users.set_limits(*number, user->limits(), now);
  shared_.users.set_group(*number, user->group());
  if (shared_.nat) shared_.nat->set_limits(*number, user->nat_limits());
  protocol_.add_user(*number, user->session_rules());
  quotas_.add(*number, user);
  expiries_.add(*number, user);
  UserEntry& entry = users_[user->name] = {*number, user->enabled(), {}, user};
  if (*number >= users_by_number_.size()) users_by_number_.resize(*number + 1);
  users_by_number_[*number] = &entry;
  return true;
}

void Publisher::change(const UserEvent& event) {
  const UserSpec &before = *event.before, &after = *event.after;
  give_name(users_, before.name, after.name);
  UserEntry& entry = users_.at(after.name);
  if (before.limits() != after.limits()) {
    shared_.users.set_limits(entry.number, after.limits(), police_now());
  }
  shared_.users.set_group(entry.number, after.group());
  if (shared_.nat) shared_.nat->set_limits(entry.number, after.nat_limits());
  quotas_.change(entry.number, event.after);
  if (event.quota_reset) quotas_.reset(entry.number);
  protocol_.change_user(entry.number, after.session_rules());
  expiries_.change(entry.number, event.after);
  entry.spec = event.after;
  entry.enabled = after.enabled();  // its peers are told of next
}

void Publisher::remove(const UserSpec& user) {
  const auto found = users_.find(user.name);
  on_user_gone(found->second.number);
  users_by_number_[found->second.number] = nullptr;
  quotas_.remove(found->second.number);
  expiries_.remove(found->second.number);
  shared_.rcu.defer([this, number = found->second.number] { free_.push_back(number); });
  users_.erase(found);
}

bool Publisher::add(const PeerPtr& spec) {
  const PeerSpec& peer = *spec;
  UserEntry& owner = users_.at(peer.user);
  const auto number = peers_.add(owner.number, peer.allowed_ips);
  if (!number) return wait_for_room("another peer and its allowed IPs (sizes.peers, .prefixes)");
  peer_numbers_[peer.name] = *number;
  if (*number >= peers_by_number_.size()) peers_by_number_.resize(*number + 1);
  peers_by_number_[*number] = spec;
  protocol_.add_peer(*number, peer, owner.enabled);
  return true;
}

bool Publisher::change(const PeerEvent& event) {
  const PeerSpec &before = *event.before, &after = *event.after;
  const uint32_t number = peer_numbers_.at(before.name);
  if (before.allowed_ips != after.allowed_ips && !peers_.set_allowed(number, after.allowed_ips)) {
    return wait_for_room("more allowed IPs (sizes.prefixes)");
  }
  peers_by_number_[number] = event.after;
  give_name(peer_numbers_, before.name, after.name);
  protocol_.change_peer(number, after, owner(number).enabled);
  if (event.timestamp_forgotten) protocol_.forget_timestamp(number);
  if (event.placed) protocol_.place_peer(number, *event.placed);
  return true;
}

void Publisher::remove(const PeerSpec& peer) {
  const auto found = peer_numbers_.find(peer.name);
  const uint32_t number = found->second;
  owner(number).past += protocol_.status(number).traffic;
  protocol_.remove_peer(number);  // reads the path that goes with the record
  peers_.remove(number);
  peers_by_number_[number] = nullptr;
  peer_numbers_.erase(found);
}

std::optional<uint32_t> Publisher::user_number(const std::string& name) const {
  const auto found = users_.find(name);
  if (found == users_.end()) return std::nullopt;
  return found->second.number;
}

std::optional<uint32_t> Publisher::peer_number(const std::string& name) const {
  const auto found = peer_numbers_.find(name);
  if (found == peer_numbers_.end()) return std::nullopt;
  return found->second;
}

UserPtr Publisher::user(uint32_t number) const {
  const UserEntry* entry = number < users_by_number_.size() ? users_by_number_[number] : nullptr;
  return entry == nullptr ? nullptr : entry->spec;
}

PeerPtr Publisher::peer(uint32_t number) const {
  return number < peers_by_number_.size() ? peers_by_number_[number] : nullptr;
}

dataplane::Traffic Publisher::past_traffic(const std::string& user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? dataplane::Traffic{} : found->second.past;
}

}  // namespace wirelay::ctrl
