// Numbers for users and peers, and what is told of them to tables and protocol.
#include "ctrl/users/publisher.h"

#include <chrono>

#include <rte_cycles.h>

#include "ctrl/base/log.h"

namespace wirelay::ctrl {

namespace {

/// How long a full table may wait for what was removed. Workers pass a quiescent state every few
/// microseconds, or sleep and hold nothing.
constexpr auto kLongestWait = std::chrono::milliseconds(50);

/// Calls `attempt` until it yields something, running down the grace periods meanwhile; a request
/// may remove and add as much as the tables hold.
template <typename Attempt>
auto with_room(dataplane::Rcu& rcu, Attempt attempt) {
  auto result = attempt();
  const auto deadline = std::chrono::steady_clock::now() + kLongestWait;
  while (!result && rcu.pending() > 0 && std::chrono::steady_clock::now() < deadline) {
    rcu.poll();
    result = attempt();
  }
  return result;
}

}  // namespace

Publisher::Publisher(dataplane::Shared& shared, dataplane::PeerWriter& peers, Protocol& protocol)
    : shared_(shared), peers_(peers), protocol_(protocol) {}

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

void Publisher::user_added(const UserSpec& user) {
  const auto number = with_room(shared_.rcu, [this] { return take_number(); });
  if (!number) {
    log_error("user {}: no number is free; the user carries nothing until added again", user.name);
    return;
  }
  const uint64_t now = police_now();
  shared_.users.reset(*number, now);
  shared_.users.set_limits(*number, user.limits, now);
  users_[user.name] = {*number, user.enabled, {}, {}};
}

void Publisher::user_changed(const UserSpec& before, const UserSpec& after) {
  const auto found = users_.find(after.name);
  if (found == users_.end()) return;
  if (before.limits != after.limits)
    shared_.users.set_limits(found->second.number, after.limits, police_now());
  if (before.enabled == after.enabled) return;
  found->second.enabled = after.enabled;
  // The registry stands as the whole request leaves it: peers that are still to be added are told
  // of then, those that are gone need not hear.
  for (const std::string& name : registry_->peers_of(after.name)) {
    if (const auto number = peer_number(name)) {
      protocol_.change_peer(*number, *registry_->peer(name), after.enabled);
    }
  }
}

void Publisher::user_removed(const UserSpec& user) {
  const auto found = users_.find(user.name);
  if (found == users_.end()) return;
  shared_.rcu.defer([this, number = found->second.number] { free_.push_back(number); });
  users_.erase(found);
}

void Publisher::peer_added(const PeerSpec& peer, const UserSpec& user) {
  const auto owner = users_.find(user.name);
  if (owner == users_.end()) return;
  const auto number =
      with_room(shared_.rcu, [&] { return peers_.add(owner->second.number, peer.allowed_ips); });
  if (!number) {
    log_error("peer {}: no room in the tables; it carries nothing until added again", peer.name);
    return;
  }
  peer_numbers_[peer.name] = *number;
  if (*number >= position_.size()) position_.resize(*number + 1);
  position_[*number] = static_cast<uint32_t>(owner->second.peers.size());
  owner->second.peers.push_back(*number);
  protocol_.add_peer(*number, peer, owner->second.enabled);
}

void Publisher::peer_changed(const PeerSpec& before, const PeerSpec& after) {
  const auto number = peer_number(after.name);
  const auto owner = users_.find(after.user);
  if (!number || owner == users_.end()) return;
  if (before.allowed_ips != after.allowed_ips &&
      !with_room(shared_.rcu, [&] { return peers_.set_allowed(*number, after.allowed_ips); })) {
    log_error("peer {}: no room for its allowed IPs; it keeps those it had", after.name);
  }
  protocol_.change_peer(*number, after, owner->second.enabled);
}

void Publisher::peer_removed(const PeerSpec& peer) {
  const auto found = peer_numbers_.find(peer.name);
  if (found == peer_numbers_.end()) return;
  const uint32_t number = found->second;
  if (const auto owner = users_.find(peer.user); owner != users_.end()) {
    owner->second.past += protocol_.status(number).traffic;
    take_out(owner->second, number);
  }
  protocol_.remove_peer(number);  // reads the path that goes with the record
  peers_.remove(number);
  peer_numbers_.erase(found);
}

void Publisher::take_out(UserEntry& owner, uint32_t peer) {
  const uint32_t last = owner.peers.back();
  owner.peers[position_[peer]] = last;
  position_[last] = position_[peer];
  owner.peers.pop_back();
}

std::span<const uint32_t> Publisher::peer_numbers(const std::string& user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? std::span<const uint32_t>() : found->second.peers;
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

dataplane::Traffic Publisher::past_traffic(const std::string& user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? dataplane::Traffic{} : found->second.past;
}

}  // namespace wirelay::ctrl
