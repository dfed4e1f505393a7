// The WireGuard clients that relaygen plays: keys, sessions and flows. All in one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "dataplane/ip.h"
#include "tools/relaygen/frame.h"
#include "tools/relaygen/options.h"
#include "tools/relaygen/peers_file.h"
#include "tools/relaygen/sequence.h"

namespace wirelay::relaygen {

/// One key pair. A client holds two: during a change of keys the one before still receives.
struct Session {
  std::array<uint8_t, 32> send_key{}, receive_key{};
  uint64_t sent = 0;         // the next counter to seal with; only ever grows
  SequenceTracker received;  // counters that came back
  uint32_t local_index = 0, remote_index = 0;
  double born = 0, last_sent = 0;  // seconds
  bool live = false;
  bool confirmed = false;  // the far end has shown that it holds the keys
};

/// What handshakes need of a client.
struct Client {
  crypto::Identity identity;
  crypto::RemoteIdentity remote;
  crypto::MacWriter macs;
  crypto::Timestamp last_timestamp{};  // of the far end's initiations
  dataplane::Endpoint outer;
  uint8_t generation = 0;
  uint8_t current = 0;  // which of its two sessions seals
};

/// The packets of one client, whichever way they go.
struct Flow {
  std::array<dataplane::IpAddr, 2> addresses;  // inside the tunnel: IPv4, IPv6; unset if none
  SequenceTracker received;
  uint32_t next_sequence = 0;
};

class Clients {
 public:
  /// Clients take outer addresses from `outer`, in turn, and ports from kFirstPort on. `family` and
  /// `targets` say what flows are made of. Throws UsageError for a key that no one can have.
  Clients(const std::vector<Identity>& identities, const crypto::PublicKey& remote,
          const dataplane::Prefix& outer, Family family,
          const std::vector<dataplane::IpAddr>& targets);

  [[nodiscard]] uint32_t size() const noexcept { return static_cast<uint32_t>(clients_.size()); }
  Client& operator[](uint32_t client) noexcept { return clients_[client]; }
  Flow& flow(uint32_t client) noexcept { return flows_[client]; }

  /// The outer endpoint of a client of that number; those from size() on are nobody's.
  [[nodiscard]] dataplane::Endpoint outer_of(uint32_t number) const noexcept;

  /// The session that a client seals with; valid when it is live.
  Session& session(uint32_t client) noexcept { return sessions_[client][clients_[client].current]; }

  /// The live session with this receiver index; nullptr when there is none.
  Session* find(uint32_t local_index) noexcept;
  [[nodiscard]] uint32_t client_of(uint32_t local_index) const noexcept {
    return (local_index - first_index_) >> 8;
  }

  /// A receiver index for a client's next session. The far end may still send to sessions of an
  /// earlier run: these have other indices.
  uint32_t new_index(uint32_t client) noexcept {
    return first_index_ + (client << 8 | ++clients_[client].generation);
  }

  /// A finished handshake. As initiator the new session seals from now on; as responder only once
  /// confirm() has seen it used (WireGuard paper, section 5.4.5).
  void install(uint32_t client, const crypto::TransportKeys& keys, double now) noexcept;
  void confirm(uint32_t client, Session& session) noexcept;

  /// The client that an initiation to this address is for; nullopt when none has its mac1.
  std::optional<uint32_t> addressed(const dataplane::Endpoint& to,
                                    std::span<const uint8_t> message) noexcept;

  /// Throws UsageError when a client lacks an address that its flows would need.
  void check_family() const;

  /// Sends flows between the first `count` clients only.
  void use(uint32_t count) noexcept { used_ = count; }
  [[nodiscard]] uint32_t used() const noexcept { return used_; }

  /// Ends of a client's flow. Hub: its partner is half of the clients away; a
  /// single one is its own.
  [[nodiscard]] FlowEnds ends(Mode mode, uint32_t flow) const noexcept;
  /// Who receives a flow on the tunnel port: mode down its client, mode hub the partner.
  [[nodiscard]] uint32_t receiver(Mode mode, uint32_t flow) const noexcept {
    return mode == Mode::kHub ? (flow + (used_ + 1) / 2) % used_ : flow;
  }

  static constexpr uint16_t kFirstPort = 2000;

 private:
  static constexpr uint32_t kPorts = 60000;
  [[nodiscard]] bool uses_v4(uint32_t flow) const noexcept {
    return family_ == Family::k4 || (family_ == Family::kBoth && flow % 2 == 0);
  }
  void add(std::span<const Identity> identities, const crypto::PublicKey& remote);

  const Family family_;
  const dataplane::Prefix outer_;
  const uint32_t first_index_;                // random
  std::array<dataplane::IpAddr, 2> targets_;  // IPv4, IPv6
  std::vector<Client> clients_;
  std::vector<std::array<Session, 2>> sessions_;
  std::vector<Flow> flows_;
  uint32_t used_ = 0;
};

}  // namespace wirelay::relaygen
