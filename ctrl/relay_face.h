// The face of the running relay that the API is written against.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "ctrl/base/counter_field.h"
#include "ctrl/config/config.h"
#include "ctrl/config/reloader.h"
#include "ctrl/host/load_meter.h"
#include "ctrl/host/turn_meter.h"
#include "ctrl/nat/status.h"
#include "ctrl/neighbour/neighbours.h"
#include "ctrl/protocol/protocol.h"
#include "ctrl/quota/expiries.h"
#include "ctrl/quota/quotas.h"
#include "ctrl/service/drain.h"
#include "ctrl/store/database.h"
#include "ctrl/users/door.h"
#include "ctrl/users/life.h"
#include "ctrl/users/registry.h"
#include "dataplane/worker.h"

namespace wirelay::ctrl {

struct UserCounters {
  uint64_t peers = 0, peers_connected = 0;
  uint64_t dropped_up = 0, dropped_down = 0;
  uint64_t nat_blocks = 0, nat_flows = 0;
};
inline constexpr std::array kUserCounters = {
    CounterField{"peers", "peers of the user", &UserCounters::peers, CounterKind::kGauge},
    CounterField{"peers_connected", "of these, such that hold a session",
                 &UserCounters::peers_connected, CounterKind::kGauge},
    CounterField{"dropped_up", "packets from the user, over its limits", &UserCounters::dropped_up},
    CounterField{"dropped_down", "packets to the user, over its limits",
                 &UserCounters::dropped_down},
    CounterField{"nat_blocks", "blocks of public ports that the user has",
                 &UserCounters::nat_blocks, CounterKind::kGauge},
    CounterField{"nat_flows", "flows of the user through NAT", &UserCounters::nat_flows,
                 CounterKind::kGauge},
};
static_assert(complete(kUserCounters));

/// What a user carried and lost, over all peers, since the relay started, and what it may yet.
struct UserStatus : UserCounters {
  dataplane::Traffic traffic;
  std::optional<QuotaStatus> quota;
  std::optional<ExpiryStatus> expiry;
};

struct PortCounters {
  uint64_t rx_packets = 0, rx_bytes = 0, rx_missed = 0, rx_no_buffer = 0, rx_errors = 0;
  uint64_t tx_packets = 0, tx_bytes = 0, tx_errors = 0;
};
inline constexpr std::array kPortCounters = {
    CounterField{"rx_packets", "packets that the device took in", &PortCounters::rx_packets},
    CounterField{"rx_bytes", "bytes of these", &PortCounters::rx_bytes},
    CounterField{"rx_missed", "packets lost because workers did not keep up",
                 &PortCounters::rx_missed},
    CounterField{"rx_no_buffer", "times that a receive queue found no free buffer",
                 &PortCounters::rx_no_buffer},
    CounterField{"rx_errors", "damaged packets", &PortCounters::rx_errors},
    CounterField{"tx_packets", "packets that the device sent", &PortCounters::tx_packets},
    CounterField{"tx_bytes", "bytes of these", &PortCounters::tx_bytes},
    CounterField{"tx_errors", "packets that the device failed to send", &PortCounters::tx_errors},
};
static_assert(complete(kPortCounters));

struct PortStatus : PortCounters {
  std::string name, device, mac, role;
  bool link_up = false;
  uint16_t mtu = 0;
  // What was asked of the device and granted.
  std::string driver;
  std::vector<std::string> hash, offloads;
  uint16_t rx_queues = 0, tx_queues = 0, rx_descriptors = 0, tx_descriptors = 0;
  std::optional<unsigned> node;  // of NUMA; none: of no node
};

/// What waits in a ring between a worker and the control thread.
struct RingDepth {
  unsigned worker = 0;
  const char* ring = "";
  unsigned items = 0;
};

struct StoreStatus {
  std::string file;     // "": nothing is kept
  std::string refusal;  // why no changes are taken; "": they are
};

/// The face that the API is written against; Relay implements it, tests put a fake behind it. What
/// is const is for the control thread, the rest for any thread.
class RelayFace {
 public:
  virtual ~RelayFace() = default;
  /// Has the control thread call `work` until it returns true: in turns, behind packets and timers,
  /// each time for at most a slice. Dropped when the relay ends first. `work` must not throw.
  using Work = std::function<bool(const RelayFace& relay, const Slice& slice)>;
  virtual void collect(Work work) = 0;
  /// Through the door. `done` is called on its thread.
  virtual void change(ChangeRequest request, Door::Done done) = 0;
  /// Reads the configuration file again and applies it; `done` is called on the control thread.
  virtual void reload(const ReloadOptions& options, Reloader::Done done) = 0;

  /// Has the store's thread call `read`, with null where nothing is kept; it must not throw.
  virtual void look(std::function<void(const Database* store)> read) const = 0;
  /// Writes a copy of the store to `file`; `done` is called on some thread, with what was wrong.
  virtual void back_up(const std::string& file,
                       std::function<void(std::exception_ptr error)> done) = 0;
  /// Takes no new sessions from now on, and ends with the last one, or after `seconds`. `done` is
  /// called on the control thread.
  virtual void drain(uint64_t seconds, std::function<void(const DrainStatus&)> done) = 0;
  /// Nothing: nobody has asked for it.
  virtual std::optional<DrainStatus> draining() const = 0;
  /// What the user carried in the step of the history that is not over.
  virtual UsageStep usage_step(const std::string& user) const = 0;
  virtual StoreStatus store() const = 0;

  virtual const Registry& registry() const = 0;
  virtual const Config& config() const = 0;
  virtual const crypto::PublicKey& public_key() const = 0;
  virtual uint64_t uptime_ns() const = 0;
  virtual uint64_t tsc_hz() const = 0;
  virtual std::vector<crypto::EngineInfo> engines() const = 0;
  virtual crypto::EngineInfo engine() const = 0;
  virtual bool uses_huge_pages() const = 0;
  virtual std::vector<const dataplane::WorkerCounters*> workers() const = 0;
  virtual size_t port_count() const = 0;
  /// What the driver says of one: that may take some drivers a millisecond.
  virtual PortStatus port(size_t i) const = 0;
  /// The smallest MTU of the ports that clients come by.
  virtual uint16_t tunnel_mtu() const = 0;
  virtual std::vector<NeighbourStatus> neighbours() const = 0;
  virtual const NeighbourCounters& neighbour_counters() const = 0;
  virtual const ProtocolCounters& protocol_counters() const = 0;
  /// Without what the user's peers carried, and how many these are: that is theirs to tell.
  virtual UserStatus user_status(const std::string& name) const = 0;
  virtual PeerStatus peer_status(const std::string& name) const = 0;
  virtual uint32_t sessions_in_use() const = 0;
  virtual PeerCounts peer_counts() const = 0;
  /// How much of the relay is in use.
  virtual const LoadMeter& load() const = 0;
  virtual std::vector<RingDepth> ring_depths() const = 0;
  /// Nothing: addresses are not translated.
  virtual std::optional<NatStatus> nat() const = 0;
  /// Of a block by number, below NatStatus::blocks; nothing when nobody has it.
  virtual std::optional<NatBlockStatus> nat_block(uint32_t number) const = 0;
  virtual TurnStatus turns() const = 0;
};

}  // namespace wirelay::ctrl
