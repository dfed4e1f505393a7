// What a reload has to change: the steps from the running users and peers to the configured ones.
#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include <fmt/core.h>

#include "ctrl/base/problem.h"
#include "ctrl/users/registry_state.h"

namespace wirelay::ctrl {

namespace {

using dataplane::Prefix;

std::string indexed(const char* list, size_t i) {
  return std::string(list) + '[' + std::to_string(i) + ']';
}

template <typename Value>
bool same(const Value& a, const Value& b) {
  return a == b;
}
bool same(const std::optional<crypto::Secret>& a, const std::optional<crypto::Secret>& b) {
  return a.has_value() == b.has_value() && (!a || crypto::equal(a->bytes(), b->bytes()));
}

/// All that a peer's life depends on; another key or user makes another peer of it.
bool same_peer(const PeerSpec& a, const PeerSpec& b) {
  return a.public_key == b.public_key && a.user == b.user;
}

std::optional<UserChange> change_of(const UserSpec& from, const UserSpec& to) {
  if (from.values == to.values) return std::nullopt;
  UserChange change;
  change.name = to.name;
  for (size_t i = 0; i < kUserFieldCount; ++i) {
    const auto field = static_cast<UserField>(i);
    if (from.values[field] != to.values[field]) change.set(field, to.values[field]);
  }
  return change;
}

std::optional<PeerChange> change_of(const PeerSpec& from, const PeerSpec& to) {
  PeerChange change;
  for_each_peer_field([&](PeerField field, auto member) {
    if (same(from.*member, to.*member)) return;
    change.to.*member = to.*member;
    change.named.set(static_cast<size_t>(field));
  });
  if (change.named.none()) return std::nullopt;
  change.name = to.name;
  return change;
}

/// What of `from` stays in `to`: given up first, an address can go to another peer within one
/// request, and what stays is not interrupted.
std::vector<Prefix> kept(const std::vector<Prefix>& from, const std::vector<Prefix>& to) {
  const std::set<Prefix> wanted(to.begin(), to.end());
  std::vector<Prefix> result;
  for (const Prefix& prefix : from) {
    if (wanted.contains(prefix)) result.push_back(prefix);
  }
  return result;
}

/// The steps, sorted by the order in which they can work: what goes makes room (and sets names,
/// keys and addresses free) for what comes. What others than the file have made stays; where the
/// file wants something of that name, the request's own rules refuse it.
class Difference {
 public:
  Difference(const Registry::State& running, std::stop_token stop)
      : running_(running), stop_(std::move(stop)) {}

  void want_users(std::span<const UserSpec> users) {
    wanted_users_.reserve(users.size());
    for (size_t i = 0; i < users.size() && !stop_.stop_requested(); ++i) {
      want_user(users[i], indexed("users", i));
    }
  }
  void want_peers(std::span<const PeerSpec> peers) {
    staying_peers_.reserve(peers.size());
    for (size_t i = 0; i < peers.size() && !stop_.stop_requested(); ++i) {
      want_peer(peers[i], indexed("peers", i));
    }
  }
  void remove_others() {
    for (const auto& [name, entry] : running_.users) {
      if (entry.spec->origin == Origin::kFile && !wanted_users_.contains(name)) remove(entry);
    }
    for (const auto& [name, peer] : running_.peers) {
      const bool with_its_user = !keeps(peer->user);
      if (peer->origin == Origin::kFile && !staying_peers_.contains(name) && !with_its_user) {
        gone_.push_back({RemovePeer{name}, name});
      }
    }
  }
  /// Throws Refused when more would go than a slip of the pen explains.
  void check_losses() const {
    size_t of_file = 0;
    for (const auto& [name, entry] : running_.users) of_file += entry.spec->origin == Origin::kFile;
    std::vector<Problem> problems;
    if (removed_users_ > 1 && removed_users_ > of_file / kTenth) {
      problems.push_back({"users", fmt::format("{} of the {} users from the file would be removed, "
                                               "more than a tenth; if that is meant, reload with "
                                               "--force",
                                               removed_users_, of_file)});
    }
    for (const UserEntry* user : with_others_peers_) {
      if (enough(problems)) break;
      problems.push_back(
          {"users", fmt::format("user \"{}\" is no longer there, but has peers that were made "
                                "through the API; remove them first, or reload with --force",
                                user->spec->name)});
    }
    if (!problems.empty()) throw Refused(std::move(problems));
  }
  std::vector<Step> steps() && {
    for (auto* part : {&shrunk_, &users_, &peers_}) {
      gone_.insert(gone_.end(), std::make_move_iterator(part->begin()),
                   std::make_move_iterator(part->end()));
    }
    return std::move(gone_);
  }

 private:
  static constexpr size_t kTenth = 10;

  /// Will a user of that name be there that is there now?
  [[nodiscard]] bool keeps(const std::string& user) const {
    return wanted_users_.contains(user) || running_.users.at(user).spec->origin != Origin::kFile;
  }

  void remove(const UserEntry& user) {
    ++removed_users_;
    gone_.push_back({RemoveUser{user.spec->name}, user.spec->name});
    if (std::ranges::any_of(user.peers, [&](const std::string& name) {
          return running_.peers.at(name)->origin != Origin::kFile;
        })) {
      with_others_peers_.push_back(&user);
    }
  }

  void want_user(const UserSpec& user, std::string path) {
    const bool first = wanted_users_.insert(user.name).second;
    const auto running = running_.users.find(user.name);
    const bool ours =
        running != running_.users.end() && running->second.spec->origin == Origin::kFile;
    if (!first || !ours) {  // the second of a name is refused
      users_.push_back({AddUser{user}, std::move(path)});
    } else if (auto change = change_of(*running->second.spec, user)) {
      users_.push_back({SetUser{std::move(*change)}, std::move(path)});
    }
  }

  void want_peer(const PeerSpec& peer, std::string path) {
    const auto found = running_.peers.find(peer.name);
    const bool ours = found != running_.peers.end() && found->second->origin == Origin::kFile;
    const bool stays =
        ours && same_peer(*found->second, peer) && staying_peers_.insert(peer.name).second;
    if (!stays) {
      peers_.push_back({AddPeer{peer}, std::move(path)});
      return;
    }
    const PeerSpec& running = *found->second;
    auto change = change_of(running, peer);
    if (!change) return;
    if (auto staying = kept(running.allowed_ips, peer.allowed_ips);
        staying.size() < running.allowed_ips.size()) {
      PeerChange shrink;
      shrink.name = peer.name;
      shrink.set<PeerField::kAllowedIps>(std::move(staying));
      shrunk_.push_back({SetPeer{std::move(shrink)}, path});
    }
    peers_.push_back({SetPeer{std::move(*change)}, std::move(path)});
  }

  const Registry::State& running_;
  const std::stop_token stop_;
  std::unordered_set<std::string_view> wanted_users_, staying_peers_;  // of the wanted specs
  std::vector<Step> gone_, shrunk_, users_, peers_;
  size_t removed_users_ = 0;
  std::vector<const UserEntry*> with_others_peers_;  // that will go
};

}  // namespace

std::vector<Step> Registry::difference(std::span<const UserSpec> users,
                                       std::span<const PeerSpec> peers, bool force,
                                       std::stop_token stop) const {
  Difference difference(*state_, std::move(stop));
  difference.want_users(users);
  difference.want_peers(peers);
  difference.remove_others();
  if (!force) difference.check_losses();
  return std::move(difference).steps();
}

}  // namespace wirelay::ctrl
