// From the registry to the workers: gives users and peers their numbers in the tables, and tells
// the protocol of peers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ctrl/protocol/protocol.h"
#include "ctrl/quota/expiries.h"
#include "ctrl/quota/quotas.h"
#include "ctrl/users/passage.h"
#include "dataplane/dataplane.h"
#include "dataplane/tables/peer_writer.h"

namespace wirelay::ctrl {

/// Numbers of what is gone are used again only after a grace period: full tables make a change wait
/// for it.
class Publisher : public ChangeObserver {
 public:
  Publisher(dataplane::Shared& shared, dataplane::PeerWriter& peers, Protocol& protocol);

  bool tell(const ChangeEvent& event) override;

  /// Call every 10 ms or so, and again, soon, until it returns true: what time does to users. Takes
  /// twice `time` or a little longer.
  bool tick(const Now& now, Slice::Clock::duration time);
  [[nodiscard]] Quotas& quotas() noexcept { return quotas_; }
  [[nodiscard]] const Quotas& quotas() const noexcept { return quotas_; }
  [[nodiscard]] Expiries& expiries() noexcept { return expiries_; }
  [[nodiscard]] const Expiries& expiries() const noexcept { return expiries_; }

  /// Told of each user who goes, while everything is there still.
  std::function<void(uint32_t number)> on_user_gone = [](uint32_t) {};

  [[nodiscard]] std::optional<uint32_t> user_number(const std::string& name) const;
  [[nodiscard]] std::optional<uint32_t> peer_number(const std::string& name) const;
  /// Goes on with what the user's peers of before carried.
  void resume_user(const std::string& name, const dataplane::Traffic& past) {
    users_.at(name).past = past;
  }
  /// As the user with that number was told of last; null when there is none.
  [[nodiscard]] UserPtr user(uint32_t number) const;
  /// As the peer with that number was told of last; null when there is none.
  [[nodiscard]] PeerPtr peer(uint32_t number) const;
  /// What the peers that a user has lost carried.
  [[nodiscard]] dataplane::Traffic past_traffic(const std::string& user) const;

 private:
  struct UserEntry {
    uint32_t number = 0;
    bool enabled = true;
    dataplane::Traffic past;  // of removed peers
    UserPtr spec;
  };
  bool tell_of(const UserEvent& event);
  bool tell_of(const PeerEvent& event);
  bool add(const UserPtr& user);
  void change(const UserEvent& event);
  void remove(const UserSpec& user);
  bool add(const PeerPtr& peer);
  bool change(const PeerEvent& event);
  void remove(const PeerSpec& peer);

  /// False while what is missing may come back after a grace period; throws when it does not.
  bool wait_for_room(const char* what);
  std::optional<uint32_t> take_number();
  [[nodiscard]] uint64_t police_now() const;
  [[nodiscard]] UserEntry& owner(uint32_t peer) const {
    return *users_by_number_[shared_.peers[peer].user];
  }

  dataplane::Shared& shared_;
  dataplane::PeerWriter& peers_;
  Protocol& protocol_;
  Quotas quotas_;
  Expiries expiries_;
  std::unordered_map<std::string, UserEntry> users_;
  std::vector<UserEntry*> users_by_number_;  // those of users_, which stay where they are
  std::unordered_map<std::string, uint32_t> peer_numbers_;
  std::vector<PeerPtr> peers_by_number_;
  std::vector<uint32_t> free_;             // user numbers; last in, first out
  uint32_t fresh_ = 0;                     // user numbers from here on were never used
  std::optional<uint64_t> waiting_since_;  // TSC: the change at hand found no room first
};

}  // namespace wirelay::ctrl
