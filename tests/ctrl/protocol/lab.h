// Two protocols that talk to each other through real tables: a wire between them that can lose
// messages, workers that only open and seal, and a clock that moves when a test says so.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <rte_mbuf.h>

#include "crypto/aead.h"
#include "crypto/noise.h"
#include "crypto/wire.h"
#include "ctrl/protocol/protocol.h"
#include "dataplane/dataplane.h"
#include "dataplane/tables/peer_writer.h"
#include "dataplane/tables/prefix_writer.h"
#include "dataplane/tables/session_writer.h"
#include "tests/support/times.h"

namespace wirelay::test {

using Bytes = std::vector<uint8_t>;

inline constexpr uint64_t kHz = 1'000'000'000;  // TSC ticks are nanoseconds

/// Where inner packets go. The peer that was added last has it among its allowed IPs.
inline constexpr char kInside[] = "10.0.0.9";

/// One end: its tables, its protocol, and what leaves it.
class Side : public ctrl::PacketSender {
 public:
  /// `number`: its address is 192.0.2.<number> and 2001:db8::<number>.
  /// `handshake_ns`: what it thinks that a handshake costs.
  Side(uint8_t number, const ctrl::Now& now, const dataplane::Sizes& sizes, rte_mempool* pool,
       uint64_t handshake_ns, ctrl::Answerer* answerer);
  ~Side() override;

  struct Options {
    std::optional<crypto::Secret> preshared = std::nullopt;
    bool endpoint = true;  // knows where the other is
    uint16_t keepalive = 0;
    bool enabled = true;
    bool v6 = false;
  };
  /// What this side knows of `other`.
  ctrl::PeerSpec spec_of(const Side& other, const Options& options) const;
  uint32_t add_peer(const Side& other, const Options& options);
  /// The same for a peer that is nobody's.
  uint32_t add_peer(const ctrl::PeerSpec& spec, const char* allowed, bool enabled = true);
  void remove_peer(uint32_t peer);

  // As a worker does. ---------------------------------------------------------------------------
  /// Seals and sends `packet`, or punts it when there is no session.
  void send(uint32_t peer, const Bytes& packet);
  /// Hands `packet` up as one that waits for a session.
  void punt(uint32_t peer, const Bytes& packet);
  /// Hands `message` up as a datagram of a handshake that came from `from`, whatever it is.
  void hear(const Bytes& message, const dataplane::Endpoint& from);
  struct Heard {
    Bytes message;
    dataplane::Endpoint from;
  };
  /// The same of several, at once.
  void hear_together(const std::vector<Heard>& messages);
  /// Takes an IP packet from the wire, which comes by `port`. Owns the mbuf.
  void receive(rte_mbuf* packet, uint16_t port = 0);
  /// Has seen the session's peer elsewhere than before.
  void see(dataplane::Session& session, const dataplane::Sighting& seen);

  // PacketSender --------------------------------------------------------------------------------
  void send(rte_mbuf* packet, uint16_t port, uint16_t adjacency) override;
  std::optional<Hop> route(const dataplane::IpAddr& remote, const dataplane::IpAddr* local,
                           const uint16_t* port) override;
  void hold(uint16_t adjacency) override { ++holds[adjacency]; }
  void release(uint16_t adjacency) override { --holds[adjacency]; }

  [[nodiscard]] dataplane::Session* current(uint32_t peer);
  [[nodiscard]] dataplane::Endpoint endpoint(bool v6 = false) const;
  const ctrl::ProtocolCounters& counters() const { return protocol->counters(); }

  const ctrl::Now& now;
  crypto::Identity identity;
  dataplane::Shared shared;
  dataplane::PrefixWriter prefixes;
  dataplane::PeerWriter peers;
  dataplane::SessionWriter sessions;
  std::unique_ptr<ctrl::Protocol> protocol;
  std::vector<rte_mbuf*> outbox;  // IP packets that left
  std::vector<Bytes> inbox;       // inner packets that were opened; empty ones are keepalives
  std::array<int, 8> holds{};     // by adjacency
  uint16_t next_adjacency = 0;    // what route() answers
  bool routable = true;
  std::optional<dataplane::IpAddr> translated;  // a NAT gives its packets this source address
  bool lose_events = false;

 private:
  void open(rte_mbuf* frame, const Bytes& message, const dataplane::Endpoint& from,
            const dataplane::Endpoint& to);
  std::unique_ptr<crypto::AeadEngine> engine_;
  uint8_t number_;
};

/// What is on the wire, and from whom.
struct Message {
  crypto::MessageType type;
  Bytes bytes;
};

class Lab {
 public:
  /// `handshake_ns`: so little by default that nothing is load. `answerer` computes b's answers.
  explicit Lab(const dataplane::Sizes& sizes = small(), uint64_t handshake_ns = 1000,
               ctrl::Answerer* answerer = nullptr);
  ~Lab();
  static dataplane::Sizes small() {
    return {.users = 4,
            .peers = 8,
            .sessions = 32,
            .prefixes = 64,
            .neighbours = 8,
            .punt_ring = 256,
            .handoff_ring = 256,
            .replay_packets = 1024};
  }

  /// Makes the sides each other's peers; b knows a's address only when `both`.
  void introduce(const Side::Options& of_a, const Side::Options& of_b);
  void introduce() { introduce({}, {.endpoint = false}); }
  /// Carries messages until none is left, each in a microsecond.
  void deliver();
  /// From now on the two sides' timers, which both look at their peer, do it half a lap apart, as
  /// two machines do: what happens to both at once does not happen again at once.
  void out_of_step();
  /// Lets time pass in steps, each with its tick, and carries messages meanwhile; what the answerer
  /// has computed is taken.
  void advance(uint64_t ns, uint64_t step = 10 * kMillisecond);
  /// A packet from a to b and what follows from it: a session.
  void connect();
  /// Messages that left `side` and were carried or lost, by type.
  [[nodiscard]] size_t seen(const Side& side, crypto::MessageType type) const;
  [[nodiscard]] unsigned buffers_in_use() const;
  /// Ends both sides; returns how many buffers they have not given back.
  unsigned close();

  ctrl::Now now{1000 * kSecond, 1000 * kSecond, 1'700'000'000 * kSecond};
  rte_mempool* pool;
  std::unique_ptr<Side> a, b;
  uint32_t peer_of_a = 0, peer_of_b = 0;  // the number of b at a, of a at b
  /// True loses the message.
  std::function<bool(const Side& from, const Message& message)> lose;
  std::vector<std::pair<const Side*, Message>> wire;  // all that left, in order

 private:
  void carry(Side& from, Side& to);
  void pass(uint64_t ns);
  std::set<std::tuple<const Side*, uint32_t, uint64_t>> nonces_;  // receiver index and counter
};

/// Of the right size and type, and nobody's.
Bytes junk_initiation();
/// The UDP payload of an IP packet.
Message message_of(const rte_mbuf* packet);
/// A plain inner IPv4 packet of `bytes` bytes (20 and more) to `to`, told apart by `mark`.
Bytes inner_packet(size_t bytes, uint8_t mark, const char* to = kInside);

}  // namespace wirelay::test
