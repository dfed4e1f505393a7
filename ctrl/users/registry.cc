// The registry's tables; the rules of a change stand in transaction.cc.
#include "ctrl/users/registry.h"

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

}  // namespace

void Registry::State::enter(const UserEvent& event) {
  if (!event.after) {
    users.erase(event.before->name);
  } else {
    users[event.after->name].spec = event.after;
  }
}

void Registry::State::enter(const PeerEvent& event) {
  const PeerPtr &before = event.before, &after = event.after;
  if (before == after) return;
  if (before) {
    for (const auto& prefix : before->allowed_ips) claims.erase(prefix);
    by_key.erase(before->public_key);
    if (!after) {
      users.at(before->user).peers.erase(before->name);
      peers.erase(before->name);
    }
  }
  if (after) {
    for (const auto& prefix : after->allowed_ips) claims[prefix] = after;
    by_key[after->public_key] = after;
    peers[after->name] = after;
    users.at(after->user).peers.insert(after->name);
  }
}

Registry::Registry(RegistryLimits limits)
    : state_(std::make_unique<State>(State{std::move(limits)})) {
  // To grow later would be a pause.
  state_->by_key.reserve(state_->limits.peers);
  state_->claims.reserve(state_->limits.prefixes);
}

Registry::~Registry() = default;

void Registry::enter(const ChangeEvent& event) {
  std::visit([this](const auto& e) { state_->enter(e); }, event);
}

UserPtr Registry::user(const std::string& name) const {
  const auto found = state_->users.find(name);
  return found == state_->users.end() ? nullptr : found->second.spec;
}

PeerPtr Registry::peer(const std::string& name) const {
  const auto found = state_->peers.find(name);
  return found == state_->peers.end() ? nullptr : found->second;
}

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
