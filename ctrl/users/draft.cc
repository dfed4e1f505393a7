// Lookups that ask the request's own changes first, and then what stands.
#include "ctrl/users/draft.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace wirelay::ctrl {

Draft::Draft(const Standing& base)
    : base_(base), sizes_(base.sizes()), next_user_id_(base.next_user_id()) {}

UserPtr Draft::user(const std::string& name) const {
  const auto draft = users_.find(name);
  return draft != users_.end() ? draft->second.spec : base_.user(name);
}

PeerPtr Draft::peer(const std::string& name) const {
  const auto draft = peers_.find(name);
  return draft != peers_.end() ? draft->second : base_.peer(name);
}

PeerPtr Draft::peer_by_key(const crypto::PublicKey& key) const {
  const auto draft = by_key_.find(key);
  return draft != by_key_.end() ? draft->second : base_.peer_by_key(key);
}

PeerPtr Draft::owner_of(const dataplane::Prefix& prefix) const {
  const auto draft = claims_.find(prefix);
  return draft != claims_.end() ? draft->second : base_.owner_of(prefix);
}

std::vector<PeerPtr> Draft::peers_of(const std::string& user) const {
  std::map<std::string_view, PeerPtr> found;
  for (PeerPtr& before : base_.peers_of(user)) {
    if (PeerPtr now = peer(before->name); now && now->user == user) found[now->name] = now;
  }
  if (const auto draft = users_.find(user); draft != users_.end()) {
    for (const std::string& name : draft->second.added) {
      if (PeerPtr now = peer(name); now && now->user == user) found[now->name] = now;
    }
  }
  std::vector<PeerPtr> result;
  result.reserve(found.size());
  for (auto& [name, peer] : found) result.push_back(std::move(peer));
  return result;
}

size_t Draft::peers_of_count(const std::string& user) const {
  const auto draft = users_.find(user);
  return draft != users_.end() ? draft->second.peers : base_.peers_of_count(user);
}

const std::vector<AddressPool>& Draft::pools() const {
  if (pools_) return *pools_;
  if (claims_.empty()) return base_.pools();
  pools_ = base_.pools();
  for (AddressPool& pool : *pools_) {
    for (const auto& [prefix, peer] : claims_) peer ? pool.take(prefix) : pool.give_back(prefix);
  }
  return *pools_;
}

void Draft::hold(const dataplane::IpAddr& address) {
  if (!pools_) pools_ = pools();
  for (AddressPool& pool : *pools_) pool.hold(address);
}

Draft::DraftUser& Draft::draft_user(const std::string& name) {
  const auto [at, fresh] = users_.try_emplace(name);
  if (fresh) {
    at->second.spec = base_.user(name);
    at->second.peers = base_.peers_of_count(name);
  }
  return at->second;
}

void Draft::change_user(UserPtr before, UserPtr after) {
  if (before && after && before->name != after->name) draft_user(before->name).spec = nullptr;
  draft_user((after ? after : before)->name).spec = after;
  sizes_.users += after ? 1 : 0;
  sizes_.users -= before ? 1 : 0;
  if (after) next_user_id_ = std::max(next_user_id_, after->id + 1);
  events_.push_back(UserEvent{std::move(before), std::move(after)});
}

/// A change though nothing of the user differs: counted, told and kept as one.
void Draft::reset_quota(const UserPtr& user) {
  const auto same = std::make_shared<const UserSpec>(*user);
  draft_user(user->name).spec = same;
  events_.push_back(UserEvent{user, same, true});
}

void Draft::forget_timestamp(const PeerPtr& peer) {
  change_peer(peer, std::make_shared<const PeerSpec>(*peer));
  std::get<PeerEvent>(events_.back()).timestamp_forgotten = true;
}

void Draft::change_peer(PeerPtr before, PeerPtr after,
                        const std::optional<dataplane::Endpoint>& placed) {
  if (before) {
    if (pools_) {
      for (AddressPool& pool : *pools_) {
        for (const auto& prefix : before->allowed_ips) pool.give_back(prefix);
      }
    }
    for (const auto& prefix : before->allowed_ips) claims_[prefix] = nullptr;
    sizes_.prefixes -= before->allowed_ips.size();
    by_key_[before->public_key] = nullptr;
    peers_[before->name] = nullptr;
    --sizes_.peers;
    --draft_user(before->user).peers;
  }
  if (after) {
    if (pools_) {
      for (AddressPool& pool : *pools_) {
        for (const auto& prefix : after->allowed_ips) pool.take(prefix);
      }
    }
    for (const auto& prefix : after->allowed_ips) claims_[prefix] = after;
    sizes_.prefixes += after->allowed_ips.size();
    by_key_[after->public_key] = after;
    peers_[after->name] = after;
    ++sizes_.peers;
    DraftUser& user = draft_user(after->user);
    ++user.peers;
    const bool known = before && before->name == after->name && before->user == after->user;
    if (!known) user.added.push_back(after->name);
  }
  events_.push_back(PeerEvent{std::move(before), std::move(after), placed});
}

void Draft::enter(const std::vector<ChangeEvent>& events) {
  for (const ChangeEvent& event : events) {
    if (const auto* user = std::get_if<UserEvent>(&event)) {
      user->quota_reset ? reset_quota(user->before) : change_user(user->before, user->after);
    } else {
      const auto& peer = std::get<PeerEvent>(event);
      if (peer.before == peer.after) continue;
      change_peer(peer.before, peer.after, peer.placed);
    }
  }
}

}  // namespace wirelay::ctrl
