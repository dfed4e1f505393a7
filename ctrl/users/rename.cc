// Steps that give other names.
#include <unordered_set>
#include <utility>

#include "ctrl/users/transaction.h"

namespace wirelay::ctrl {

namespace {

template <typename Spec>
std::shared_ptr<const Spec> named(const Spec& spec, const std::string& name) {
  Spec other = spec;
  other.name = name;
  return std::make_shared<const Spec>(std::move(other));
}

/// Tells of them in an order that works: first whoever has a name that another takes lets go of it.
template <typename All, typename Change>
void give_names(All& all, Change change) {
  std::unordered_set<std::string_view> taken;
  for (const auto& each : all) taken.insert(each.by->to);
  const auto rename = [&](auto& each, const std::string& name) {
    auto after = named(*each.now, name);
    change(std::exchange(each.now, after), after);
  };
  for (auto& each : all) {
    if (taken.contains(each.now->name)) rename(each, passing_name(each.now->name));
  }
  for (auto& each : all) rename(each, each.by->to);
}

}  // namespace

template <typename Pointer, typename Find>
std::vector<Transaction::Renamed<Pointer>> Transaction::find_renamed(
    const char* noun, const std::vector<Renaming>& all, Find find) {
  std::unordered_set<std::string_view> left, taken;
  for (const Renaming& renaming : all) left.insert(renaming.name);
  std::unordered_set<std::string_view> seen;
  std::vector<Renamed<Pointer>> found;
  for (const Renaming& renaming : all) {
    if (enough(problems_)) break;
    path_ = &renaming.path;
    const size_t before = problems_.size();
    const Pointer of = find(renaming.name);
    if (!of) {
      problem(".name", std::string("there is no ") + noun + " \"" + renaming.name + '"');
    } else if (!seen.insert(renaming.name).second) {
      problem(".name", '"' + renaming.name + "\" is renamed twice");
    }
    const Pointer other = left.contains(renaming.to) ? nullptr : find(renaming.to);
    check_name(".to", noun, renaming.to, of ? of->origin : Origin::kApi,
               other ? &other->origin : nullptr);
    if (!taken.insert(renaming.to).second) {
      problem(".to",
              std::string("another ") + noun + " is to be named \"" + renaming.to + "\", too");
    }
    const bool other_name = renaming.name != renaming.to;
    if (problems_.size() == before && other_name) found.push_back({of, of, &renaming});
  }
  return found;
}

void Transaction::enter(const RenameUsers& step) {
  const size_t before = problems_.size();
  auto users = find_renamed<UserPtr>("user", step.all,
                                     [this](const std::string& name) { return draft_.user(name); });
  if (problems_.size() != before) return;
  std::vector<std::pair<PeerPtr, const std::string*>> peers;
  for (const auto& user : users) {
    for (PeerPtr& peer : draft_.peers_of(user.before->name)) {
      peers.emplace_back(std::move(peer), &user.by->to);
    }
  }
  give_names(users, [this](UserPtr was, UserPtr is) {
    draft_.change_user(std::move(was), std::move(is));
  });
  for (auto& [peer, user] : peers) {
    PeerSpec other = *peer;
    other.user = *user;
    draft_.change_peer(std::move(peer), std::make_shared<const PeerSpec>(std::move(other)));
  }
}

void Transaction::enter(const RenamePeers& step) {
  const size_t before = problems_.size();
  auto peers = find_renamed<PeerPtr>("peer", step.all,
                                     [this](const std::string& name) { return draft_.peer(name); });
  if (problems_.size() != before) return;
  give_names(peers, [this](PeerPtr was, PeerPtr is) {
    draft_.change_peer(std::move(was), std::move(is));
  });
}

}  // namespace wirelay::ctrl
