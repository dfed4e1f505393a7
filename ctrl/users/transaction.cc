// The rules of users and peers, step by step.
#include "ctrl/users/transaction.h"

#include <algorithm>
#include <utility>

namespace wirelay::ctrl {

namespace {

std::string quoted(const std::string& text) { return '"' + text + '"'; }

template <typename T>
void take(T& field, const std::optional<T>& change) {
  if (change) field = *change;
}

/// Addresses that are never forwarded; a prefix that holds them among others is fine.
struct Unforwarded {
  dataplane::Prefix prefix;
  const char* kind;
};

/// Which of them hold all of `prefix`, or null.
const Unforwarded* find_unforwarded(const dataplane::Prefix& prefix) {
  const auto parse = [](const char* text) { return *dataplane::parse_prefix(text); };
  static const Unforwarded kUnforwarded[] = {
      {parse("0.0.0.0/8"), "this network"},
      {parse("127.0.0.0/8"), "loopback"},
      {parse("224.0.0.0/3"), "multicast, reserved and broadcast"},
      {parse("::/96"), "unspecified, loopback and reserved"},
      {parse("fe80::/10"), "link-local"},
      {parse("ff00::/8"), "multicast"},
  };
  const auto* found = std::ranges::find_if(kUnforwarded, [&](const Unforwarded& range) {
    return range.prefix.length <= prefix.length && range.prefix.contains(prefix.addr);
  });
  return found == std::end(kUnforwarded) ? nullptr : found;
}

UserSpec changed(UserSpec user, const UserChange& change) {
  take(user.limits.up.bits_per_second, change.up_bits);
  take(user.limits.up.burst_bytes, change.up_burst);
  take(user.limits.up.packets_per_second, change.up_packets);
  take(user.limits.down.bits_per_second, change.down_bits);
  take(user.limits.down.burst_bytes, change.down_burst);
  take(user.limits.down.packets_per_second, change.down_packets);
  take(user.max_peers, change.max_peers);
  take(user.enabled, change.enabled);
  return user;
}

PeerSpec changed(PeerSpec peer, const PeerChange& change) {
  if (change.preshared_key) {
    peer.preshared_key = change.preshared_key;
    if (change.preshared_key->is_zero()) peer.preshared_key.reset();
  }
  take(peer.allowed_ips, change.allowed_ips);
  if (change.endpoint) {
    peer.endpoint = change.endpoint;
    if (change.endpoint->port == 0) peer.endpoint.reset();
  }
  take(peer.persistent_keepalive, change.persistent_keepalive);
  return peer;
}

}  // namespace

void Transaction::run(const Step& step) {
  if (enough(problems_)) return;
  path_ = &step.path;
  std::visit([this](const auto& change) { apply(change); }, step.change);
}

void Transaction::finish() {
  if (!problems_.empty()) {
    undo();
    throw Refused(std::move(problems_));
  }
  for (const auto& event : log_) {
    std::visit([this](const auto& e) { tell(e); }, event);
  }
}

void Transaction::apply(const AddUser& step) {
  const UserSpec& user = step.spec;
  const size_t before = problems_.size();
  check_new_name("user", user.name, state_.users.contains(user.name));
  if (state_.users.size() >= state_.limits.users) {
    problem("", "no room: the relay is sized for " + std::to_string(state_.limits.users) +
                    " users (sizes.users in its configuration)");
  }
  if (problems_.size() == before) {
    do_user(nullptr, std::make_shared<const UserSpec>(user));
  } else {
    refused_users_.insert(user.name);
  }
}

void Transaction::apply(const SetUser& step) {
  const UserEntry* entry = find_user(step.change.name);
  if (entry == nullptr) return;
  auto after = std::make_shared<const UserSpec>(changed(*entry->spec, step.change));
  if (after->max_peers != 0 && entry->peers.size() > after->max_peers) {
    problem(".max_peers", "user " + quoted(after->name) + " has " +
                              std::to_string(entry->peers.size()) +
                              " peers; give at least that many, or \"unlimited\"");
    return;
  }
  do_user(entry->spec, std::move(after));
}

void Transaction::apply(const RemoveUser& step) {
  const UserEntry* entry = find_user(step.name);
  if (entry == nullptr) return;
  const std::set<std::string> peers = entry->peers;
  for (const std::string& name : peers) do_peer(state_.peers.at(name), nullptr);
  do_user(entry->spec, nullptr);
}

void Transaction::apply(const AddPeer& step) {
  const PeerSpec& peer = step.spec;
  if (refused_users_.contains(peer.user) && !state_.users.contains(peer.user)) return;
  const size_t before = problems_.size();
  check_new_name("peer", peer.name, state_.peers.contains(peer.name));
  if (state_.peers.size() >= state_.limits.peers) {
    problem("", "no room: the relay is sized for " + std::to_string(state_.limits.peers) +
                    " peers (sizes.peers in its configuration)");
  }
  check_owner(peer);
  check_key(peer);
  check_allowed_ips(peer, &peer, 0);
  if (problems_.size() == before) do_peer(nullptr, std::make_shared<const PeerSpec>(peer));
}

void Transaction::apply(const SetPeer& step) {
  const PeerPtr* found = find_peer(step.change.name);
  if (found == nullptr) return;
  const PeerPtr before = *found;
  auto after = std::make_shared<const PeerSpec>(changed(*before, step.change));
  const size_t problems = problems_.size();
  check_allowed_ips(*after, before.get(), before->allowed_ips.size());
  if (problems_.size() == problems) do_peer(before, std::move(after));
}

void Transaction::apply(const RemovePeer& step) {
  if (const PeerPtr* found = find_peer(step.name)) do_peer(PeerPtr(*found), nullptr);
}

void Transaction::check_new_name(const char* noun, const std::string& name, bool taken) {
  if (!is_name(name)) {
    problem(".name", quoted(name) + " is no name: 1 to 64 letters, digits and . _ - @ +");
  } else if (taken) {
    problem(".name", "there is a " + std::string(noun) + " " + quoted(name) + " already");
  }
}

void Transaction::check_owner(const PeerSpec& peer) {
  const auto owner = state_.users.find(peer.user);
  if (owner == state_.users.end()) {
    problem(".user", "there is no user " + quoted(peer.user));
    return;
  }
  const UserEntry& user = owner->second;
  if (user.spec->max_peers != 0 && user.peers.size() >= user.spec->max_peers) {
    problem("", "user " + quoted(peer.user) + " has as many peers as allowed (max_peers " +
                    std::to_string(user.spec->max_peers) + ")");
  }
}

void Transaction::check_key(const PeerSpec& peer) {
  static constexpr crypto::PublicKey kZero{};
  if (peer.public_key == kZero) {
    problem(".public_key", "is all zeros; give the peer's own public key");
  } else if (const auto other = state_.by_key.find(peer.public_key); other != state_.by_key.end()) {
    problem(".public_key", "is the key of peer " + quoted(other->second->name) + " already");
  }
}

void Transaction::check_allowed_ips(const PeerSpec& peer, const PeerSpec* self, size_t freed) {
  std::set<dataplane::Prefix> seen;
  for (size_t i = 0; i < peer.allowed_ips.size(); ++i) {
    const dataplane::Prefix& prefix = peer.allowed_ips[i];
    const std::string field = ".allowed_ips[" + std::to_string(i) + "]";
    if (const Unforwarded* range = find_unforwarded(prefix)) {
      problem(field, to_string(prefix) + " lies within " + to_string(range->prefix) + " (" +
                         range->kind + "), which is never forwarded");
    }
    if (!seen.insert(prefix).second) problem(field, to_string(prefix) + " is listed twice");
    if (std::ranges::find(state_.limits.routed, prefix) != state_.limits.routed.end()) {
      problem(field, to_string(prefix) + " is a route of the relay's own");
    }
    if (const Claims::Claim* other = state_.claims.conflict(prefix, self)) {
      problem(field, to_string(prefix) + " overlaps " + to_string(other->prefix) +
                         (other->owner == nullptr ? ", the relay's own address"
                                                  : " of peer " + quoted(other->owner->name)));
    }
  }
  if (state_.prefixes - freed + peer.allowed_ips.size() > state_.limits.prefixes) {
    problem(".allowed_ips", "no room: the relay is sized for " +
                                std::to_string(state_.limits.prefixes) +
                                " prefixes (sizes.prefixes in its configuration)");
  }
}

const UserEntry* Transaction::find_user(const std::string& name) {
  const auto found = state_.users.find(name);
  if (found != state_.users.end()) return &found->second;
  if (!refused_users_.contains(name)) problem(".name", "there is no user " + quoted(name));
  return nullptr;
}

const PeerPtr* Transaction::find_peer(const std::string& name) {
  const auto found = state_.peers.find(name);
  if (found != state_.peers.end()) return &found->second;
  problem(".name", "there is no peer " + quoted(name));
  return nullptr;
}

void Transaction::do_user(UserPtr before, UserPtr after) {
  state_.swap_user(before, after);
  log_.emplace_back(UserEvent{std::move(before), std::move(after)});
}

void Transaction::do_peer(PeerPtr before, PeerPtr after) {
  const std::string& owner = before ? before->user : after->user;
  UserPtr user = state_.users.at(owner).spec;
  state_.swap_peer(before, after);
  log_.emplace_back(PeerEvent{std::move(before), std::move(after), std::move(user)});
}

void Transaction::undo() {
  for (; !log_.empty(); log_.pop_back()) {
    if (const auto* user = std::get_if<UserEvent>(&log_.back())) {
      state_.swap_user(user->after, user->before);
    } else {
      const auto& peer = std::get<PeerEvent>(log_.back());
      state_.swap_peer(peer.after, peer.before);
    }
  }
}

void Transaction::tell(const UserEvent& event) {
  if (!event.before) {
    state_.observer.user_added(*event.after);
  } else if (!event.after) {
    state_.observer.user_removed(*event.before);
  } else {
    state_.observer.user_changed(*event.before, *event.after);
  }
}

void Transaction::tell(const PeerEvent& event) {
  if (!event.before) {
    state_.observer.peer_added(*event.after, *event.user);
  } else if (!event.after) {
    state_.observer.peer_removed(*event.before);
  } else {
    state_.observer.peer_changed(*event.before, *event.after);
  }
}

void Transaction::problem(const std::string& field, std::string message) {
  std::string path = *path_ + field;
  if (path.starts_with('.')) path.erase(0, 1);
  problems_.push_back({std::move(path), std::move(message)});
}

}  // namespace wirelay::ctrl
