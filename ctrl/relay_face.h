// The face of the running relay that the API is written against. Control thread only.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "ctrl/config/config.h"
#include "ctrl/neighbour/neighbours.h"
#include "ctrl/protocol/protocol.h"
#include "ctrl/users/registry.h"
#include "dataplane/worker.h"

namespace wirelay::ctrl {

/// What a user carried and lost, over all peers, since the relay started.
struct UserStatus {
  dataplane::Traffic traffic;
  uint64_t dropped_up = 0, dropped_down = 0;  // packets over the limits
  uint32_t peers = 0, peers_connected = 0;    // connected: holds a session
};

struct PortStatus {
  std::string name, device, mac;
  bool link_up = false;
  uint64_t rx_packets = 0, rx_bytes = 0, rx_missed = 0, rx_errors = 0;
  uint64_t tx_packets = 0, tx_bytes = 0, tx_errors = 0;
};

struct ReloadResult {
  size_t users_added = 0, users_changed = 0, users_removed = 0;
  size_t peers_added = 0, peers_changed = 0, peers_removed = 0;
  std::vector<std::string> needs_restart;  // parts that changed but stay as they were
};

/// A reload that was asked for: under way until one of the two is set, by the control thread.
struct Reload {
  std::optional<ReloadResult> result;
  std::exception_ptr error;  // Refused, or what stood in the way: nothing has changed
  [[nodiscard]] bool done() const noexcept { return result || error; }
};

/// The face that the API is written against; Relay implements it, tests put a fake behind it.
class RelayFace {
 public:
  virtual ~RelayFace() = default;
  virtual Registry& registry() = 0;
  virtual const Config& config() const = 0;
  virtual const crypto::PublicKey& public_key() const = 0;
  virtual uint64_t uptime_ns() const = 0;
  virtual uint64_t tsc_hz() const = 0;
  virtual std::vector<crypto::EngineInfo> engines() const = 0;
  virtual crypto::EngineInfo engine() const = 0;
  virtual bool uses_huge_pages() const = 0;
  virtual std::vector<const dataplane::WorkerCounters*> workers() const = 0;
  virtual std::vector<PortStatus> ports() const = 0;
  virtual std::vector<NeighbourStatus> neighbours() const = 0;
  virtual const NeighbourCounters& neighbour_counters() const = 0;
  virtual const ProtocolCounters& protocol_counters() const = 0;
  virtual UserStatus user_status(const std::string& name) const = 0;
  virtual PeerStatus peer_status(const std::string& name) const = 0;
  virtual uint32_t sessions_in_use() const = 0;
  /// Begins to read the configuration file again.
  virtual std::shared_ptr<const Reload> reload() = 0;
};

}  // namespace wirelay::ctrl
