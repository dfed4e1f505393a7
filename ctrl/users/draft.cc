// Lookups that ask the request's own changes first, and then what stands.
#include "ctrl/users/draft.h"

#include <set>
#include <utility>

namespace wirelay::ctrl {

namespace {

/// What `drafts` says of `key`, null for "gone", or else what `base` says.
template <typename Drafts, typename Base, typename Key>
PeerPtr latest(const Drafts& drafts, const Base& base, const Key& key) {
  if (const auto draft = drafts.find(key); draft != drafts.end()) return draft->second;
  const auto found = base.find(key);
  return found == base.end() ? nullptr : found->second;
}

}  // namespace

Draft::Draft(const Registry::State& base)
    : base_(base),
      users_count_(base.users.size()),
      peers_count_(base.peers.size()),
      prefixes_count_(base.claims.size()) {}

UserPtr Draft::user(const std::string& name) const {
  if (const auto draft = users_.find(name); draft != users_.end()) return draft->second.spec;
  const auto found = base_.users.find(name);
  return found == base_.users.end() ? nullptr : found->second.spec;
}

PeerPtr Draft::peer(const std::string& name) const { return latest(peers_, base_.peers, name); }

PeerPtr Draft::peer_by_key(const crypto::PublicKey& key) const {
  return latest(by_key_, base_.by_key, key);
}

PeerPtr Draft::owner_of(const dataplane::Prefix& prefix) const {
  return latest(claims_, base_.claims, prefix);
}

std::vector<PeerPtr> Draft::peers_of(const std::string& user) const {
  std::set<std::string> names;
  if (const auto found = base_.users.find(user); found != base_.users.end()) {
    names = found->second.peers;
  }
  if (const auto draft = users_.find(user); draft != users_.end()) {
    names.insert(draft->second.added.begin(), draft->second.added.end());
  }
  std::vector<PeerPtr> result;
  for (const std::string& name : names) {
    if (PeerPtr now = peer(name); now && now->user == user) result.push_back(std::move(now));
  }
  return result;
}

size_t Draft::peers_of_count(const std::string& user) const {
  if (const auto draft = users_.find(user); draft != users_.end()) return draft->second.peers;
  const auto found = base_.users.find(user);
  return found == base_.users.end() ? 0 : found->second.peers.size();
}

Draft::DraftUser& Draft::draft_user(const std::string& name) {
  const auto [at, fresh] = users_.try_emplace(name);
  if (fresh) {
    if (const auto found = base_.users.find(name); found != base_.users.end()) {
      at->second.spec = found->second.spec;
      at->second.peers = found->second.peers.size();
    }
  }
  return at->second;
}

void Draft::change_user(UserPtr before, UserPtr after) {
  draft_user((after ? after : before)->name).spec = after;
  users_count_ += after ? 1 : 0;
  users_count_ -= before ? 1 : 0;
  events_.push_back(UserEvent{std::move(before), std::move(after)});
}

void Draft::change_peer(PeerPtr before, PeerPtr after,
                        const std::optional<dataplane::Endpoint>& placed) {
  DraftUser& user = draft_user((after ? after : before)->user);
  if (before) {
    for (const auto& prefix : before->allowed_ips) claims_[prefix] = nullptr;
    prefixes_count_ -= before->allowed_ips.size();
    by_key_[before->public_key] = nullptr;
    peers_[before->name] = nullptr;
    --peers_count_;
    --user.peers;
  }
  if (after) {
    for (const auto& prefix : after->allowed_ips) claims_[prefix] = after;
    prefixes_count_ += after->allowed_ips.size();
    by_key_[after->public_key] = after;
    peers_[after->name] = after;
    ++peers_count_;
    ++user.peers;
    if (!before) user.added.push_back(after->name);
  }
  events_.push_back(PeerEvent{std::move(before), std::move(after), placed});
}

}  // namespace wirelay::ctrl
