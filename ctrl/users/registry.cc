// The registry's tables; the rules of a change stand in transaction.cc.
#include "ctrl/users/registry.h"

#include <algorithm>

#include "ctrl/users/give_name.h"
#include "ctrl/users/registry_state.h"

namespace wirelay::ctrl {

namespace {

template <typename Map, typename Item>
auto page(const Map& map, const std::string& after, size_t limit, Item item) {
  std::vector<std::decay_t<decltype(item(map.begin()->second))>> result;
  for (auto it = map.upper_bound(after); it != map.end() && result.size() < limit; ++it) {
    result.push_back(item(it->second));
  }
  return result;
}

template <typename Map, typename Key>
PeerPtr peer_in(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

}  // namespace

UserPtr Registry::State::user(const std::string& name) const {
  const auto found = users.find(name);
  return found == users.end() ? nullptr : found->second.spec;
}

PeerPtr Registry::State::peer(const std::string& name) const { return peer_in(peers, name); }

PeerPtr Registry::State::peer_by_key(const crypto::PublicKey& key) const {
  return peer_in(by_key, key);
}

PeerPtr Registry::State::owner_of(const dataplane::Prefix& prefix) const {
  return peer_in(claims, prefix);
}

std::vector<PeerPtr> Registry::State::peers_of(const std::string& user) const {
  std::vector<PeerPtr> result;
  if (const auto found = users.find(user); found != users.end()) {
    result.reserve(found->second.peers.size());
    for (const std::string& name : found->second.peers) result.push_back(peers.at(name));
  }
  return result;
}

size_t Registry::State::peers_of_count(const std::string& user) const {
  const auto found = users.find(user);
  return found == users.end() ? 0 : found->second.peers.size();
}

void Registry::State::enter(const UserEvent& event) {
  if (!event.after) {
    users.erase(event.before->name);
  } else {
    if (event.before) give_name(users, event.before->name, event.after->name);
    users[event.after->name].spec = event.after;
    next_id = std::max(next_id, event.after->id + 1);
  }
}

void Registry::State::enter(const PeerEvent& event) {
  const PeerPtr &before = event.before, &after = event.after;
  if (before == after) return;
  book.change(before.get(), after.get());
  if (before) {
    for (const auto& prefix : before->allowed_ips) claims.erase(prefix);
    by_key.erase(before->public_key);
    if (!after || after->name != before->name) {
      users.at(before->user).peers.erase(before->name);
      peers.erase(before->name);
    }
  }
  if (after) {
    for (const auto& prefix : after->allowed_ips) claims[prefix] = after;
    by_key[after->public_key] = after;
    peers[after->name] = after;
    // Of a user with another name all that it has is there already.
    if (!before || after->name != before->name) users.at(after->user).peers.insert(after->name);
  }
}

Registry::Registry(RegistryLimits limits, uint64_t next_user_id)
    : state_(std::make_unique<State>(std::move(limits))) {
  state_->next_id = next_user_id;
  // To grow later would be a pause.
  state_->by_key.reserve(state_->rules.peers);
  state_->claims.reserve(state_->rules.prefixes);
}

Registry::~Registry() = default;

void Registry::enter(const ChangeEvent& event) {
  std::visit([this](const auto& e) { state_->enter(e); }, event);
}

const AddressBook& Registry::address_book() const noexcept { return state_->book; }

void Registry::restore_released(std::span<const ReleasedAddress> released) {
  state_->book.restore(released);
}

UserPtr Registry::user(const std::string& name) const { return state_->user(name); }

PeerPtr Registry::peer(const std::string& name) const { return state_->peer(name); }

PeerPtr Registry::peer(const crypto::PublicKey& key) const { return state_->peer_by_key(key); }

const std::set<std::string>& Registry::peers_of(const std::string& user) const {
  static const std::set<std::string> kNone;
  const auto found = state_->users.find(user);
  return found == state_->users.end() ? kNone : found->second.peers;
}

size_t Registry::user_count() const noexcept { return state_->users.size(); }
size_t Registry::peer_count() const noexcept { return state_->peers.size(); }

std::vector<UserPtr> Registry::users_after(const std::string& after, size_t limit) const {
  return page(state_->users, after, limit, [](const UserEntry& entry) { return entry.spec; });
}

std::vector<PeerPtr> Registry::peers_after(const std::string& after, size_t limit) const {
  return page(state_->peers, after, limit, [](const PeerPtr& peer) { return peer; });
}

}  // namespace wirelay::ctrl
