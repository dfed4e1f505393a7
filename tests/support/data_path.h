// A whole data path in one process: workers and tables between two ring ports, with clients whose
// keys the test knows. Time stands still until a test moves it.
//
//   client (192.0.2.x or 2001:db8:1::x) ── port 0 ── relay ── port 1 ── gateway, the plain network
//   inner 10.0.x.y, fd00::x                 .1          │ 10.0.0.1, fd00::1          .254
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rte_mbuf.h>

#include "crypto/noise.h"
#include "dataplane/dataplane.h"
#include "dataplane/tables/nat_writer.h"
#include "dataplane/tables/peer_writer.h"
#include "dataplane/tables/prefix_writer.h"
#include "dataplane/tables/session_writer.h"
#include "dataplane/worker.h"
#include "tests/support/packets.h"
#include "tests/support/ring_port.h"

namespace wirelay::test {

struct DataPathOptions {
  unsigned workers = 1;
  uint16_t queues = 1;        // of each port
  unsigned port_ring = 4096;  // entries of a port's queues
  uint32_t mbufs = 4095;
  dataplane::Sizes sizes{.users = 64,
                         .peers = 64,
                         .sessions = 256,
                         .prefixes = 256,
                         .neighbours = 16,
                         .punt_ring = 512,
                         .handoff_ring = 512,
                         .replay_packets = 1024};
  std::string engine = "libsodium";
  std::optional<dataplane::NatSettings> nat = std::nullopt;  // of what peers send out by port 1
};

/// One WireGuard client behind port 0, and what it knows of its session.
struct Client {
  uint32_t peer = 0;
  uint32_t user = 0;
  uint32_t index = 0;          // the relay's receiver index
  crypto::TransportKeys keys;  // as the relay holds them
  dataplane::Endpoint endpoint;
  dataplane::IpAddr inner4, inner6;
  uint64_t counter = 0;  // next nonce of the client
};

/// A transport message that a client has opened.
struct Opened {
  uint64_t counter = 0;
  Bytes packet;  // the inner packet with its padding
};

/// A host of the plain network.
inline const dataplane::Endpoint kServer{addr("203.0.113.9"), 2};

class DataPath {
 public:
  static constexpr uint64_t kHz = 1'000'000'000;
  static constexpr Mac kPeerMac = {2, 0, 0, 0, 0, 0x10};     // whoever is behind port 0
  static constexpr Mac kGatewayMac = {2, 0, 0, 0, 0, 0x20};  // behind port 1
  static constexpr uint16_t kOutside = 0, kGateway = 1, kUnresolved = 2;  // adjacencies

  explicit DataPath(const DataPathOptions& options = {});
  /// Frees all packets that are still somewhere.
  ~DataPath();

  // Who is there. ------------------------------------------------------------------------------
  /// `v6`: the client's endpoint is an IPv6 address.
  Client add_client(bool v6 = false, uint32_t owner = 0, bool initiator = false);
  /// A new session for a client; becomes the one to send with.
  void new_session(Client& client, uint32_t owner = 0, bool initiator = false);
  void limit(const Client& client, const dataplane::UserLimits& limits);
  void give_quota(const Client& client, const dataplane::QuotaLimits& limits);
  [[nodiscard]] dataplane::Session& session(const Client& client);
  [[nodiscard]] dataplane::Endpoint relay_endpoint(bool v6) const;
  dataplane::Port& port(unsigned i) { return shared->ports[ports[i]->id()]; }
  [[nodiscard]] Mac mac(unsigned i);

  // What they say. -----------------------------------------------------------------------------
  /// The client's next transport message around `inner`, padded as WireGuard does.
  Bytes seal(Client& client, const Bytes& inner);
  /// A frame from the client with any UDP payload for the relay.
  Bytes from_client(const Client& client, const Bytes& message);
  /// seal() and from_client().
  Bytes tunnelled(Client& client, const Bytes& inner) {
    return from_client(client, seal(client, inner));
  }
  /// A frame that the gateway behind port 1 sends on.
  Bytes from_gateway(const Bytes& packet);
  /// What the client makes of a frame from port 0; nullopt when it is not for it or not authentic.
  [[nodiscard]] std::optional<Opened> open(const Client& client, const Bytes& frame) const;

  // What happens. ------------------------------------------------------------------------------
  rte_mbuf* make_mbuf(const Bytes& bytes);
  /// Feeds a frame to a port and returns the buffer that it lies in.
  rte_mbuf* feed(unsigned port, const Bytes& frame, uint16_t queue = 0);
  /// Polls all workers in turn until nothing moves, and gives blocks of NAT to who waits for one.
  void poll();
  /// Of a worker's packets that wait for a block of NAT: poll() does it, too. Returns how many.
  unsigned serve_blocks(unsigned worker);
  /// Frames that have left by a port, in order.
  std::vector<Bytes> sent(unsigned port);
  /// The same as buffers, which the caller frees.
  std::vector<rte_mbuf*> sent_mbufs(unsigned port) { return ports[port]->take(); }

  [[nodiscard]] uint64_t drops(dataplane::Drop drop) const;
  [[nodiscard]] uint64_t all_drops() const;
  /// Names and counts of all drops, for messages.
  [[nodiscard]] std::string drop_text() const;
  std::vector<dataplane::Punt> punts(unsigned worker = 0);
  std::vector<dataplane::Event> events(unsigned worker = 0);
  /// Frees the packets of punts(); returns how many there were.
  size_t discard_punts(unsigned worker = 0);
  /// Buffers that are not back in the pool.
  [[nodiscard]] uint32_t mbufs_in_use() const;

  uint64_t now = 1'000'000 * kHz;
  rte_mempool* pool = nullptr;
  std::vector<std::unique_ptr<RingPort>> ports;
  std::unique_ptr<dataplane::Shared> shared;
  std::unique_ptr<dataplane::PrefixWriter> prefixes;
  std::unique_ptr<dataplane::PeerWriter> peers;
  std::unique_ptr<dataplane::SessionWriter> sessions;
  std::unique_ptr<dataplane::NatWriter> nat;           // with options.nat
  std::vector<dataplane::NatBlockRecord> nat_records;  // what it told
  std::vector<std::unique_ptr<dataplane::Worker>> workers;

 private:
  void open_ports(const DataPathOptions& options);
  void publish_routes();
  void start_nat(const dataplane::NatSettings& settings);
  void serve_block(const dataplane::Punt& punt);

  std::unique_ptr<crypto::AeadEngine> engine_;  // the clients'
  uint32_t clients_ = 0;
};

/// A buffer's bytes.
Bytes bytes_of(const rte_mbuf* mbuf);

}  // namespace wirelay::test
