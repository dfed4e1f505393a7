// From the registry to the workers: gives users and peers their numbers in the tables, and tells
// the protocol of peers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ctrl/protocol/protocol.h"
#include "ctrl/users/registry.h"
#include "dataplane/dataplane.h"
#include "dataplane/tables/peer_writer.h"

namespace wirelay::ctrl {

/// Numbers of what is gone are used again only after a grace period; full tables wait for it, some
/// microseconds.
class Publisher : public RegistryObserver {
 public:
  Publisher(dataplane::Shared& shared, dataplane::PeerWriter& peers, Protocol& protocol);

  /// The registry that this observes; before its first change.
  void attach(const Registry& registry) { registry_ = &registry; }

  void user_added(const UserSpec& user) override;
  void user_changed(const UserSpec& before, const UserSpec& after) override;
  void user_removed(const UserSpec& user) override;
  void peer_added(const PeerSpec& peer, const UserSpec& user) override;
  void peer_changed(const PeerSpec& before, const PeerSpec& after) override;
  void peer_removed(const PeerSpec& peer) override;

  [[nodiscard]] std::optional<uint32_t> user_number(const std::string& name) const;
  [[nodiscard]] std::optional<uint32_t> peer_number(const std::string& name) const;
  /// The numbers of a user's peers, in no order; until the next change.
  [[nodiscard]] std::span<const uint32_t> peer_numbers(const std::string& user) const;
  /// What the peers that a user has lost carried.
  [[nodiscard]] dataplane::Traffic past_traffic(const std::string& user) const;

 private:
  struct UserEntry {
    uint32_t number = 0;
    bool enabled = true;
    dataplane::Traffic past;      // of removed peers
    std::vector<uint32_t> peers;  // their numbers
  };
  void take_out(UserEntry& owner, uint32_t peer);
  std::optional<uint32_t> take_number();
  [[nodiscard]] uint64_t police_now() const;

  dataplane::Shared& shared_;
  dataplane::PeerWriter& peers_;
  Protocol& protocol_;
  const Registry* registry_ = nullptr;
  std::unordered_map<std::string, UserEntry> users_;
  std::unordered_map<std::string, uint32_t> peer_numbers_;
  std::vector<uint32_t> position_;  // by peer number: where it stands in its user's `peers`
  std::vector<uint32_t> free_;      // user numbers; last in, first out
  uint32_t fresh_ = 0;              // user numbers from here on were never used
};

}  // namespace wirelay::ctrl
