// What a reload has to change: the steps from the running users and peers to the configured ones.
#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <fmt/core.h>

#include "ctrl/base/problem.h"
#include "ctrl/users/registry_state.h"

namespace wirelay::ctrl {

namespace {

std::string indexed(const char* list, size_t i) {
  return std::string(list) + '[' + std::to_string(i) + ']';
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
    if (same_value(from.*member, to.*member)) return;
    change.to.*member = to.*member;
    change.named.set(static_cast<size_t>(field));
  });
  if (change.named.none()) return std::nullopt;
  change.name = to.name;
  return change;
}

/// The steps, sorted by the order in which they can work: what goes makes room (and sets names,
/// keys and addresses free) for what comes. What others than the file have made stays; where the
/// file wants something of that name, the request's own rules refuse it.
///
/// A peer is who has its key, a user who has its name; or, when nobody has that name and a user is
/// gone, who has the first of the peers that were that one's.
class Difference {
 public:
  Difference(const Registry::State& running, std::stop_token stop)
      : running_(running), stop_(std::move(stop)) {}

  void want(std::span<const UserSpec> users, std::span<const PeerSpec> peers) {
    wanted_users_.reserve(users.size());
    for (const UserSpec& user : users) wanted_users_.insert(user.name);
    for (const PeerSpec& peer : peers) {
      if (stop_.stop_requested()) return;
      find_renamed(peer);
    }
    want_users(users);
    want_peers(peers);
  }
  void want_users(std::span<const UserSpec> users) {
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
      if (!keeps(name)) remove(entry);
    }
    for (const auto& [name, peer] : running_.peers) {
      const bool stays = staying_peers_.contains(peer->public_key);
      if (peer->origin == Origin::kFile && !stays && keeps(peer->user)) {
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
    if (!user_names_.all.empty()) gone_.push_back({std::move(user_names_), "users"});
    if (!peer_names_.all.empty()) gone_.push_back({std::move(peer_names_), "peers"});
    for (auto* part : {&users_, &peers_}) {
      gone_.insert(gone_.end(), std::make_move_iterator(part->begin()),
                   std::make_move_iterator(part->end()));
    }
    return std::move(gone_);
  }

 private:
  static constexpr size_t kTenth = 10;

  /// Will the user be there, whatever its name?
  [[nodiscard]] bool keeps(const std::string& user) const {
    return wanted_users_.contains(user) || new_names_.contains(user) ||
           running_.users.at(user).spec->origin != Origin::kFile;
  }

  /// The user that is gone and had `peer`, if it was one, is the one that has it now, if that is
  /// new.
  void find_renamed(const PeerSpec& peer) {
    if (old_names_.contains(peer.user) || running_.users.contains(peer.user) ||
        !wanted_users_.contains(peer.user)) {
      return;
    }
    const PeerPtr before = running_.peer_by_key(peer.public_key);
    if (!before || keeps(before->user)) return;
    new_names_.emplace(before->user, peer.user);
    old_names_.emplace(peer.user, before->user);
  }
  /// The name of a running user, or of the one that it will be.
  [[nodiscard]] const std::string& new_name(const std::string& user) const {
    const auto found = new_names_.find(user);
    return found == new_names_.end() ? user : found->second;
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
    const bool first = seen_users_.insert(user.name).second;
    const auto old_name = old_names_.find(user.name);
    const bool renamed = old_name != old_names_.end();
    const auto running = running_.users.find(renamed ? old_name->second : user.name);
    const bool ours =
        running != running_.users.end() && running->second.spec->origin == Origin::kFile;
    if (!first || !ours) {  // the second of a name is refused
      users_.push_back({AddUser{user}, std::move(path)});
      return;
    }
    if (renamed) user_names_.all.push_back({old_name->second, user.name, path});
    if (auto change = change_of(*running->second.spec, user)) {
      users_.push_back({SetUser{std::move(*change)}, std::move(path)});
    }
  }

  void want_peer(const PeerSpec& peer, std::string path) {
    const PeerPtr before = running_.peer_by_key(peer.public_key);
    const bool stays = before && before->origin == Origin::kFile &&
                       new_name(before->user) == peer.user &&
                       staying_peers_.insert(peer.public_key).second;
    if (!stays) {
      peers_.push_back({AddPeer{peer}, std::move(path)});
      return;
    }
    if (before->name != peer.name) peer_names_.all.push_back({before->name, peer.name, path});
    auto change = change_of(*before, peer);
    if (change) peers_.push_back({SetPeer{std::move(*change)}, std::move(path)});
  }

  const Registry::State& running_;
  const std::stop_token stop_;
  std::unordered_set<std::string_view> wanted_users_, seen_users_;      // of the wanted specs
  std::unordered_map<std::string, std::string> new_names_, old_names_;  // of users, by the other
  std::unordered_set<crypto::PublicKey, KeyHash> staying_peers_;
  RenameUsers user_names_;
  RenamePeers peer_names_;
  std::vector<Step> gone_, users_, peers_;
  size_t removed_users_ = 0;
  std::vector<const UserEntry*> with_others_peers_;  // that will go
};

}  // namespace

std::vector<Step> Registry::difference(std::span<const UserSpec> users,
                                       std::span<const PeerSpec> peers, bool force,
                                       std::stop_token stop) const {
  Difference difference(*state_, std::move(stop));
  difference.want(users, peers);
  difference.remove_others();
  if (!force) difference.check_losses();
  return std::move(difference).steps();
}

}  // namespace wirelay::ctrl
