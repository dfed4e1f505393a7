// One request against the registry: each step is checked and applied at once, so that later steps
// see it; what was done is undone again unless every step was right. Internal to registry.cc.
#pragma once

#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ctrl/users/registry_state.h"

namespace wirelay::ctrl {

class Transaction {
 public:
  explicit Transaction(Registry::State& state) : state_(state) {}

  /// Applies the step, or notes what is wrong with it; nothing once there are enough() problems.
  void run(const Step& step);
  /// Tells the observer; throws Refused, with all undone, when there was a problem.
  void finish();

 private:
  struct UserEvent {
    UserPtr before, after;
  };
  struct PeerEvent {
    PeerPtr before, after;
    UserPtr user;  // as it stood then
  };

  void apply(const AddUser& step);
  void apply(const SetUser& step);
  void apply(const RemoveUser& step);
  void apply(const AddPeer& step);
  void apply(const SetPeer& step);
  void apply(const RemovePeer& step);

  void check_new_name(const char* noun, const std::string& name, bool taken);
  void check_owner(const PeerSpec& peer);
  void check_key(const PeerSpec& peer);
  /// Of `peer`, which gives up `freed` prefixes.
  void check_allowed_ips(const PeerSpec& peer, const PeerSpec* self, size_t freed);

  const UserEntry* find_user(const std::string& name);
  const PeerPtr* find_peer(const std::string& name);

  void do_user(UserPtr before, UserPtr after);
  void do_peer(PeerPtr before, PeerPtr after);
  void undo();
  void tell(const UserEvent& event);
  void tell(const PeerEvent& event);
  void problem(const std::string& field, std::string message);

  Registry::State& state_;
  std::vector<std::variant<UserEvent, PeerEvent>> log_;
  std::vector<Problem> problems_;
  std::set<std::string> refused_users_;  // their peers need no second complaint
  const std::string* path_ = nullptr;    // of the step at hand
};

}  // namespace wirelay::ctrl
