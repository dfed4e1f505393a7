// The registry's tables and what is read from them; the rules of a change stand in transaction.cc.
#include "ctrl/users/registry.h"

#include <algorithm>

#include "ctrl/users/registry_state.h"
#include "ctrl/users/transaction.h"

namespace wirelay::ctrl {

namespace {

constexpr size_t kMaxName = 64;

template <typename Map, typename Item>
auto page(const Map& map, const std::string& after, size_t limit, Item item) {
  std::vector<decltype(item(map.begin()->second))> result;
  for (auto it = map.upper_bound(after); it != map.end() && result.size() < limit; ++it) {
    result.push_back(item(it->second));
  }
  return result;
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '@' || c == '+';
  });
}

void Registry::State::swap_user(const UserPtr& before, const UserPtr& after) {
  if (!after) {
    users.erase(before->name);
  } else {
    users[after->name].spec = after;
  }
}

void Registry::State::swap_peer(const PeerPtr& before, const PeerPtr& after) {
  if (before) {
    claims.release(before->allowed_ips);
    prefixes -= before->allowed_ips.size();
    by_key.erase(before->public_key);
    if (!after) {
      users.at(before->user).peers.erase(before->name);
      peers.erase(before->name);
    }
  }
  if (after) {
    claims.claim(after->allowed_ips, after.get());
    prefixes += after->allowed_ips.size();
    by_key[after->public_key] = after;
    peers[after->name] = after;
    users.at(after->user).peers.insert(after->name);
  }
}

Registry::Registry(RegistryLimits limits, RegistryObserver& observer)
    : state_(std::make_shared<State>(State{std::move(limits), observer, {}, {}, {}, {}, 0})) {
  state_->claims.claim(state_->limits.reserved, nullptr);
  state_->by_key.reserve(state_->limits.peers);  // to grow later would be a pause
}

void Registry::apply(std::span<const Step> steps) {
  Transaction transaction(*state_);
  for (const Step& step : steps) transaction.run(step);
  transaction.finish();
}

const UserSpec* Registry::user(const std::string& name) const {
  const auto found = state_->users.find(name);
  return found == state_->users.end() ? nullptr : found->second.spec.get();
}

const PeerSpec* Registry::peer(const std::string& name) const {
  const auto found = state_->peers.find(name);
  return found == state_->peers.end() ? nullptr : found->second.get();
}

const PeerSpec* Registry::peer_by_key(const crypto::PublicKey& key) const {
  const auto found = state_->by_key.find(key);
  return found == state_->by_key.end() ? nullptr : found->second.get();
}

const std::set<std::string>& Registry::peers_of(const std::string& user) const {
  static const std::set<std::string> kNone;
  const auto found = state_->users.find(user);
  return found == state_->users.end() ? kNone : found->second.peers;
}

size_t Registry::user_count() const noexcept { return state_->users.size(); }
size_t Registry::peer_count() const noexcept { return state_->peers.size(); }

std::vector<const UserSpec*> Registry::users_after(const std::string& after, size_t limit) const {
  return page(state_->users, after, limit,
              [](const UserEntry& entry) -> const UserSpec* { return entry.spec.get(); });
}

std::vector<const PeerSpec*> Registry::peers_after(const std::string& after, size_t limit) const {
  return page(state_->peers, after, limit,
              [](const PeerPtr& peer) -> const PeerSpec* { return peer.get(); });
}

}  // namespace wirelay::ctrl
