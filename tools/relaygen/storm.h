// A storm: handshake messages that are offered to the far end whatever it answers. They are made
// ahead of time and sent in turn, from the beginning again when all have been.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <rte_mempool.h>

#include "tools/relaygen/clients.h"
#include "tools/relaygen/options.h"
#include "tools/relaygen/pace.h"
#include "tools/relaygen/port.h"
#include "tools/relaygen/progress.h"
#include "tools/relaygen/tunnel_side.h"

namespace wirelay::relaygen {

struct StormResult {
  uint64_t made = 0;     // different messages
  uint64_t sent = 0;     // those that the port took
  uint64_t refused = 0;  // by a full port: lost, as on a wire
  double seconds = 0;    // that it lasted
};

class Storm {
 public:
  /// Makes the messages. `senders`: clients whose initiations are among them; nobody else uses
  /// these meanwhile. `pool`: for the packets. Throws Failure when it is interrupted.
  Storm(const StormOptions& options, double seconds, Clients& clients,
        const crypto::PublicKey& far_end, std::span<const uint32_t> senders, TunnelSide& tunnel,
        rte_mempool* pool, Progress& progress);
  ~Storm();
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  /// From now on messages are due.
  void begin() noexcept;
  /// Sends what is due, at most one burst; true when there was anything.
  bool step() noexcept;
  /// What came of it until now.
  [[nodiscard]] StormResult result() const noexcept;

 private:
  void make_initiations(double unknown, std::span<const uint32_t> senders, Progress& progress);
  /// Of one initiation.
  struct Sender {
    const crypto::Identity* identity;
    const crypto::RemoteIdentity* remote;
    uint32_t index;
    crypto::MacWriter* macs;
  };
  /// The messages that were added last, as many as there are senders.
  void make_last_initiations(std::span<const Sender> senders);
  void make_spoofed();
  void make_cookie_replies();
  /// Room for one more message, which comes from `from`.
  std::span<uint8_t> add(const dataplane::Endpoint& from);
  [[nodiscard]] size_t count() const noexcept { return from_.size(); }
  void fill() noexcept;

  const std::optional<Pace> pace_;  // none: as fast as possible
  const size_t message_bytes_;
  const size_t wanted_;  // messages to make
  Clients& clients_;
  const crypto::PublicKey far_end_;
  TunnelSide& tunnel_;
  rte_mempool* const pool_;
  std::vector<uint8_t> messages_;
  std::vector<dataplane::Endpoint> from_;  // of the same indices

  std::array<rte_mbuf*, kBurst> burst_{};  // what goes next
  uint16_t burst_at_ = 0, burst_count_ = 0;
  uint64_t offered_ = 0;  // sent, refused, or in the burst
  StormResult result_;
  uint64_t began_ = 0;  // cycles
};

}  // namespace wirelay::relaygen
