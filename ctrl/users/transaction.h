// One request against the registry as it stands: each step is checked and entered into a draft, so
// that later steps see it. Internal to ctrl/users.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "ctrl/base/problem.h"
#include "ctrl/users/draft.h"
#include "ctrl/users/last_word.h"
#include "ctrl/users/passage.h"

namespace wirelay::ctrl {

class Transaction {
 public:
  /// What is added is of `origin`; none: as each says itself. `standing` stands still while the
  /// transaction lives.
  Transaction(const Standing& standing, std::optional<Origin> origin)
      : draft_(standing), origin_(origin) {}

  /// Enters the steps, or notes what is wrong with them; nothing once there are enough() problems.
  /// Throws when `stop` is requested.
  void run(std::span<const Step> steps, const std::stop_token& stop);
  /// What the request does, in order; throws Refused with all problems that were found.
  CheckedSteps finish() &&;

 private:
  void enter(const AddUser& step);
  void enter(const SetUser& step);
  void enter(const RemoveUser& step);
  void enter(const ResetQuota& step);
  void enter(const AddPeer& step);
  void enter(const SetPeer& step);
  void enter(const RemovePeer& step);
  void enter(const ForgetTimestamp& step);
  void enter(const RotateKeys& step);
  /// Peers give up the allowed IPs that they lose to others in `steps`, of which `word` was made.
  void make_room(std::span<const Step> steps, const LastWord& word);
  /// The step without the allowed IPs on which a later one has the last word.
  void enter_unsaid(const Change& change);
  void enter(const RenameUsers& step);
  void enter(const RenamePeers& step);

  /// What a step has renamed: `before` as it stood.
  template <typename Pointer>
  struct Renamed {
    Pointer before, now;
    const Renaming* by;
  };
  /// Finds who is to be renamed, each once and to a name that is free when all is done.
  template <typename Pointer, typename Find>
  std::vector<Renamed<Pointer>> find_renamed(const char* noun, const std::vector<Renaming>& all,
                                             Find find);

  /// `taken`: of the other of that name, or null.
  void check_name(const char* field, const char* noun, const std::string& name, Origin origin,
                  const Origin* taken);
  void check_quota(const UserSpec& user);
  void check_owner(const PeerSpec& peer);
  /// Gives a new peer addresses of the pools.
  void pick_allowed_ips(PeerSpec& peer);
  void check_key(const PeerSpec& peer);
  void check_endpoint(const PeerSpec& peer);
  /// Of `peer`, which has replaced `before` (null when it is new).
  void check_allowed_ips(const PeerSpec& peer, const PeerPtr& before, bool move);
  void check_prefix(const dataplane::Prefix& prefix, const std::string& field);
  /// Takes the peer's allowed IPs from whoever else has them.
  void move_here(const PeerSpec& peer);

  UserPtr find_user(const std::string& name);
  PeerPtr find_peer(const std::string& name);
  /// `field` of the step at hand.
  [[nodiscard]] Problem at(const std::string& field, std::string message) const;
  void problem(const std::string& field, std::string message);

  Draft draft_;
  const std::optional<Origin> origin_;
  std::vector<Problem> problems_, warnings_;
  std::set<std::string> refused_users_;  // their peers need no second complaint
  const std::string* path_ = nullptr;    // of the step at hand
};

}  // namespace wirelay::ctrl
