// The rules of users and peers, step by step.
#include "ctrl/users/transaction.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wirelay::ctrl {

namespace {

/// 1 to 64 of letters, digits and ". _ - @ +".
bool is_name(std::string_view text) noexcept {
  constexpr size_t kMaxName = 64;
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '@' || c == '+';
  });
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

const char* made_by(Origin origin) {
  return origin == Origin::kFile ? ", in the configuration" : ", made through the API";
}

/// One of `known` that holds all of `prefix`, or null.
const dataplane::Prefix* around(const dataplane::Prefix& prefix,
                                const std::vector<dataplane::Prefix>& known) {
  const auto found = std::ranges::find_if(known, [&](const dataplane::Prefix& range) {
    return range.is_v4() == prefix.is_v4() && range.length <= prefix.length &&
           range.contains(prefix.addr);
  });
  return found == known.end() ? nullptr : &*found;
}

/// Addresses that are never forwarded, nor sent to; a prefix that holds them among others is fine.
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
  for (size_t i = 0; i < kUserFieldCount; ++i) {
    const auto field = static_cast<UserField>(i);
    if (change.named[i]) user.values[field] = change.to[field];
  }
  return user;
}

PeerSpec changed(PeerSpec peer, const PeerChange& change) {
  for_each_peer_field([&](PeerField field, auto member) {
    if (change.named[static_cast<size_t>(field)]) peer.*member = change.to.*member;
  });
  if (peer.endpoint && peer.endpoint->port == 0) peer.endpoint.reset();
  return peer;
}

}  // namespace

void Transaction::run(std::span<const Step> steps, const std::stop_token& stop) {
  std::optional<LastWord> word;
  size_t first = 0;  // of the steps that take
  for (size_t i = 0; i < steps.size() && !enough(problems_); ++i) {
    if (stop.stop_requested()) throw std::runtime_error("the relay ends");
    const Change& change = steps[i].change;
    const bool takes =
        std::holds_alternative<AddPeer>(change) || std::holds_alternative<SetPeer>(change);
    if (takes && !word) {
      first = i;
      make_room(steps.subspan(first), word.emplace(steps.subspan(first)));
    }
    path_ = &steps[i].path;
    if (takes && !LastWord::peer_of(change).empty() && !word->has(i - first)) {
      enter_unsaid(change);
    } else {
      std::visit([this](const auto& step) { enter(step); }, change);
    }
  }
}

CheckedSteps Transaction::finish() && {
  if (!problems_.empty()) throw Refused(std::move(problems_));
  return {std::move(draft_).take_events(), std::move(warnings_)};
}

void Transaction::enter(const AddUser& step) {
  UserSpec user = step.spec;
  user.origin = origin_.value_or(user.origin);
  const size_t before = problems_.size();
  const UserPtr taken = draft_.user(user.name);
  check_name(".name", "user", user.name, user.origin, taken ? &taken->origin : nullptr);
  if (draft_.sizes().users >= draft_.limits().users) {
    problem("", "no room: the relay is sized for " + std::to_string(draft_.limits().users) +
                    " users (sizes.users in its configuration)");
  }
  check_quota(user);
  if (problems_.size() == before) {
    if (user.id == 0) user.id = draft_.next_user_id();
    draft_.change_user(nullptr, std::make_shared<const UserSpec>(std::move(user)));
  } else {
    refused_users_.insert(user.name);
  }
}

void Transaction::enter(const SetUser& step) {
  const UserPtr before = find_user(step.change.name);
  if (!before) return;
  auto after = std::make_shared<const UserSpec>(changed(*before, step.change));
  const size_t peers = draft_.peers_of_count(after->name);
  if (after->max_peers() != 0 && peers > after->max_peers()) {
    problem(".max_peers", "user " + quoted(after->name) + " has " + std::to_string(peers) +
                              " peers; give at least that many, or \"unlimited\"");
    return;
  }
  const size_t problems = problems_.size();
  check_quota(*after);
  if (problems_.size() != problems) return;
  const bool switched = before->enabled() != after->enabled();
  draft_.change_user(before, after);
  if (!switched) return;
  for (const PeerPtr& peer : draft_.peers_of(after->name)) draft_.touch_peer(peer);
}

void Transaction::enter(const RemoveUser& step) {
  const UserPtr user = find_user(step.name);
  if (!user) return;
  for (PeerPtr& peer : draft_.peers_of(step.name)) draft_.change_peer(std::move(peer), nullptr);
  draft_.change_user(user, nullptr);
}

void Transaction::enter(const ResetQuota& step) {
  const UserPtr user = find_user(step.name);
  if (!user) return;
  if (user->quota().bytes == dataplane::kUnlimited) {
    problem("", "user " + quoted(user->name) + " has no quota");
    return;
  }
  draft_.reset_quota(user);
}

void Transaction::enter(const AddPeer& step) {
  PeerSpec peer = step.spec;
  peer.origin = origin_.value_or(peer.origin);
  if (refused_users_.contains(peer.user) && !draft_.user(peer.user)) return;
  const size_t before = problems_.size();
  const PeerPtr taken = draft_.peer(peer.name);
  check_name(".name", "peer", peer.name, peer.origin, taken ? &taken->origin : nullptr);
  if (draft_.sizes().peers >= draft_.limits().peers) {
    problem("", "no room: the relay is sized for " + std::to_string(draft_.limits().peers) +
                    " peers (sizes.peers in its configuration)");
  }
  check_owner(peer);
  check_key(peer);
  if (step.pick && problems_.size() == before) pick_allowed_ips(peer);
  check_endpoint(peer);
  check_allowed_ips(peer, nullptr, step.move);
  if (problems_.size() != before) return;
  move_here(peer);
  draft_.change_peer(nullptr, std::make_shared<const PeerSpec>(std::move(peer)));
}

void Transaction::enter(const SetPeer& step) {
  const PeerPtr before = find_peer(step.change.name);
  if (!before) return;
  auto after = std::make_shared<const PeerSpec>(changed(*before, step.change));
  const size_t problems = problems_.size();
  if (step.change.to.endpoint) check_endpoint(*after);
  check_allowed_ips(*after, before, step.move);
  if (problems_.size() != problems) return;
  move_here(*after);
  draft_.change_peer(before, std::move(after), step.change.to.endpoint);
}

void Transaction::enter(const ForgetTimestamp& step) {
  if (const PeerPtr peer = find_peer(step.name)) draft_.forget_timestamp(peer);
}

/// Who has another key is another peer.
void Transaction::enter(const RotateKeys& step) {
  const PeerPtr before = find_peer(step.name);
  if (!before) return;
  PeerSpec after = *before;
  after.public_key = step.public_key;
  if (step.preshared_key) after.preshared_key = step.preshared_key;
  const size_t problems = problems_.size();
  check_key(after);
  if (problems_.size() != problems) return;
  draft_.change_peer(before, nullptr);
  draft_.change_peer(nullptr, std::make_shared<const PeerSpec>(std::move(after)));
}

void Transaction::enter(const RemovePeer& step) {
  if (const PeerPtr peer = find_peer(step.name)) draft_.change_peer(peer, nullptr);
}

void Transaction::check_name(const char* field, const char* noun, const std::string& name,
                             Origin origin, const Origin* taken) {
  if (!is_name(name)) {
    problem(field, quoted(name) + " is no name: 1 to 64 letters, digits and . _ - @ +");
  } else if (taken != nullptr) {
    std::string message = "there is a ";
    message.append(noun).append(" ").append(quoted(name)).append(" already");
    if (*taken != origin) message.append(made_by(*taken));
    problem(field, std::move(message));
  }
}

void Transaction::pick_allowed_ips(PeerSpec& peer) {
  // The file's would be another at each reload.
  if (draft_.limits().pools.empty() || peer.origin == Origin::kFile) {
    return problem(".allowed_ips",
                   "missing, expected " + std::string(info(PeerField::kAllowedIps).missing));
  }
  std::string full;
  peer.allowed_ips = pick_addresses(draft_.pools(), draft_.recall(peer.public_key, true),
                                    draft_.recall(peer.public_key, false), full);
  if (full.empty()) return;
  problem(".allowed_ips", "missing, and no address of the pool is free: " + full);
}

void Transaction::check_quota(const UserSpec& user) {
  if (user.values[UserField::kQuotaEnd] == kThrottleAtEnd &&
      user.values[UserField::kQuotaRate] == 0) {
    problem(".quota.throttle_rate",
            "missing; at_end is \"throttle\": say to which rate, such as \"1M\"");
  }
}

void Transaction::check_owner(const PeerSpec& peer) {
  const UserPtr user = draft_.user(peer.user);
  if (!user) {
    problem(".user", "there is no user " + quoted(peer.user));
  } else if (user->max_peers() != 0 && draft_.peers_of_count(peer.user) >= user->max_peers()) {
    problem("", "user " + quoted(peer.user) + " has as many peers as allowed (max_peers " +
                    std::to_string(user->max_peers()) + ")");
  }
}

void Transaction::check_key(const PeerSpec& peer) {
  static constexpr crypto::PublicKey kZero{};
  if (peer.public_key == kZero) {
    problem(".public_key", "is all zeros; give the peer's own public key");
  } else if (peer.public_key == draft_.limits().own_key) {
    problem(".public_key", "is the relay's own key; give the peer's own public key");
  } else if (const PeerPtr other = draft_.peer_by_key(peer.public_key)) {
    problem(".public_key", "is the key of peer " + quoted(other->name) + " already");
  }
}

void Transaction::check_endpoint(const PeerSpec& peer) {
  if (!peer.endpoint) return;
  const dataplane::IpAddr& address = peer.endpoint->addr;
  const RegistryLimits& limits = draft_.limits();
  if (const Unforwarded* range = find_unforwarded({address, 128})) {
    problem(".endpoint", to_string(address) + " lies within " + to_string(range->prefix) + " (" +
                             range->kind + "), where no peer can be");
  } else if (const auto found = limits.no_peers.find(address); found != limits.no_peers.end()) {
    problem(".endpoint",
            to_string(address) + " is " + std::string(found->second) + ", where no peer can be");
  } else if (!(address.is_v4() ? limits.ipv4 : limits.ipv6) && !enough(warnings_)) {
    const std::string family = address.is_v4() ? "IPv4" : "IPv6";
    warnings_.push_back(at(".endpoint", to_string(address) + " is an " + family +
                                            " address, and no port has one: nothing reaches the "
                                            "peer there"));
  }
}

void Transaction::check_allowed_ips(const PeerSpec& peer, const PeerPtr& before, bool move) {
  if (peer.allowed_ips.size() > kMostAllowedIps) {
    return problem(".allowed_ips",
                   "holds " + std::to_string(peer.allowed_ips.size()) +
                       " prefixes; a peer has at most " + std::to_string(kMostAllowedIps) +
                       ": sum them up to shorter ones, or give some to another peer");
  }
  std::set<dataplane::Prefix> seen;
  for (size_t i = 0; i < peer.allowed_ips.size(); ++i) {
    const dataplane::Prefix& prefix = peer.allowed_ips[i];
    const std::string field = ".allowed_ips[" + std::to_string(i) + "]";
    check_prefix(prefix, field);
    if (!seen.insert(prefix).second) problem(field, to_string(prefix) + " is listed twice");
    const PeerPtr owner = draft_.owner_of(prefix);
    if (owner && owner != before && !move) {
      problem(field, to_string(prefix) + " is peer " + quoted(owner->name) +
                         "'s; to take it from there say \"move\": true");
    }
  }
  const size_t freed = before ? before->allowed_ips.size() : 0;
  if (draft_.sizes().prefixes - freed + peer.allowed_ips.size() > draft_.limits().prefixes) {
    problem(".allowed_ips", "no room: the relay is sized for " +
                                std::to_string(draft_.limits().prefixes) +
                                " prefixes (sizes.prefixes in its configuration)");
  }
}

void Transaction::check_prefix(const dataplane::Prefix& prefix, const std::string& field) {
  const RegistryLimits& limits = draft_.limits();
  if (const Unforwarded* range = find_unforwarded(prefix)) {
    problem(field, to_string(prefix) + " lies within " + to_string(range->prefix) + " (" +
                       range->kind + "), which is never forwarded");
  }
  if (std::ranges::find(limits.routed, prefix) != limits.routed.end()) {
    problem(field, to_string(prefix) + " is a route of the relay's own");
  }
  if (const dataplane::Prefix* own = around(prefix, limits.reserved)) {
    problem(field, own->length == 128 ? to_string(prefix) + " is the relay's own address"
                                      : to_string(prefix) + " lies within " + to_string(*own) +
                                            ", a network of the relay's ports");
  }
}

void Transaction::move_here(const PeerSpec& peer) {
  for (const dataplane::Prefix& prefix : peer.allowed_ips) {
    const PeerPtr owner = draft_.owner_of(prefix);
    if (!owner || owner->name == peer.name) continue;
    PeerSpec poorer = *owner;
    std::erase(poorer.allowed_ips, prefix);
    draft_.change_peer(owner, std::make_shared<const PeerSpec>(std::move(poorer)));
  }
}

UserPtr Transaction::find_user(const std::string& name) {
  UserPtr user = draft_.user(name);
  if (!user && !refused_users_.contains(name)) problem(".name", "there is no user " + quoted(name));
  return user;
}

PeerPtr Transaction::find_peer(const std::string& name) {
  PeerPtr peer = draft_.peer(name);
  if (!peer) problem(".name", "there is no peer " + quoted(name));
  return peer;
}

Problem Transaction::at(const std::string& field, std::string message) const {
  std::string path = *path_ + field;
  if (path.starts_with('.')) path.erase(0, 1);
  return {std::move(path), std::move(message)};
}

void Transaction::problem(const std::string& field, std::string message) {
  problems_.push_back(at(field, std::move(message)));
}

}  // namespace wirelay::ctrl
