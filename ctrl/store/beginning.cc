// Who of the file is whom of the store.
#include "ctrl/store/beginning.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace wirelay::ctrl {

void Beginning::number(std::span<UserSpec> users, std::span<const PeerSpec> peers) const {
  std::unordered_map<std::string_view, uint64_t> by_name;
  std::unordered_set<std::string_view> names;
  for (const UserSpec& user : users) names.insert(user.name);
  for (const StoredUser& user : stored_.users) {
    if (user.spec.origin == Origin::kFile) by_name[user.spec.name] = user.spec.id;
  }
  std::unordered_map<crypto::PublicKey, std::string_view, KeyHash> was_of;
  for (const StoredPeer& peer : stored_.peers) was_of[peer.spec.public_key] = peer.spec.user;
  // The names under which new users' peers were known.
  std::unordered_map<std::string_view, std::string_view> was_called;
  for (const PeerSpec& peer : peers) {
    const auto found = was_of.find(peer.public_key);
    if (found != was_of.end()) was_called.try_emplace(peer.user, found->second);
  }
  for (UserSpec& user : users) {
    std::string_view name = user.name;
    if (!by_name.contains(name)) {
      const auto found = was_called.find(name);
      if (found == was_called.end() || names.contains(found->second)) continue;
      name = found->second;
    }
    const auto known = by_name.find(name);
    if (known == by_name.end()) continue;
    user.id = known->second;
    by_name.erase(known);  // nobody else's
  }
}

std::vector<Step> Beginning::steps() const {
  std::vector<Step> steps;
  steps.reserve(stored_.users.size() + stored_.peers.size());
  for (const StoredUser& user : stored_.users) {
    if (user.spec.origin != Origin::kApi) continue;
    steps.push_back({AddUser{user.spec}, file_ + ": user " + user.spec.name});
  }
  for (const StoredPeer& peer : stored_.peers) {
    if (peer.spec.origin != Origin::kApi) continue;
    steps.push_back({AddPeer{peer.spec}, file_ + ": peer " + peer.spec.name});
  }
  return steps;
}

void check_beginning(const Config& config) {
  if (config.store.empty()) return;
  const Beginning beginning(config.store, read_store(config.store));
  std::vector<UserSpec> users = config.users;
  beginning.number(users, config.peers);
  std::vector<Step> steps;
  for (size_t i = 0; i < users.size(); ++i) {
    steps.push_back({AddUser{std::move(users[i])}, config.user_paths[i]});
  }
  for (size_t i = 0; i < config.peers.size(); ++i) {
    steps.push_back({AddPeer{config.peers[i]}, config.peer_paths[i]});
  }
  std::ranges::move(beginning.steps(), std::back_inserter(steps));
  check_steps(Registry(registry_limits(config)), std::nullopt, steps);
}

PeerLife life_from(const StoredPeer& before, const PeerSpec& now) {
  PeerLife life = before.life;
  if (before.spec.endpoint != now.endpoint) life.where.reset();
  return life;
}

}  // namespace wirelay::ctrl
