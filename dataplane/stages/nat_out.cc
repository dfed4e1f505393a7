// nat_out: packets of users to the network of a port that translates get a public address and port
// as their source (NAT44, tables/nat.h). A user's packets are the owner's of its mappings: others
// hand them on. One for a public address of ours goes back in by stage nat_in, as if it came from
// outside (hairpinning, RFC 4787, REQ-9).
#include "dataplane/net/fragment.h"
#include "dataplane/net/transport4.h"
#include "dataplane/pipeline.h"
#include "dataplane/tables/nat_flows.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

class Outward {
 public:
  Outward(Worker& worker, Burst& burst) noexcept
      : worker_(worker),
        burst_(burst),
        table_(*worker.shared.nat),
        statics_(table_.statics()),
        flows_(*worker.nat_flows) {}

  void run() noexcept {
    for (uint16_t i = 0; i < burst_.count; ++i) __builtin_prefetch(&user_of(i));
    for (uint16_t i = 0; i < burst_.count; ++i) look(i);
    for (uint16_t k = 0; k < count_; ++k) flows_.fetch_first(found_[k].hash);
    for (uint16_t k = 0; k < count_; ++k) translate(found_[k]);
  }

 private:
  /// A packet that is ours, and what its flow is found by.
  struct Wanted {
    NatKey key;
    uint64_t hash;
    uint16_t i;
    Transport4 transport;
  };

  [[nodiscard]] uint32_t user_number(uint16_t i) const noexcept {
    return worker_.shared.peers[burst_.meta[i].sender].user;
  }
  [[nodiscard]] NatUser& user_of(uint16_t i) const noexcept { return table_.user(user_number(i)); }

  [[nodiscard]] uint16_t mtu_of(const PacketMeta& m) const noexcept {
    return worker_.shared.ports[m.port].mtu;
  }

  void look(uint16_t i) noexcept {
    PacketMeta& m = burst_.meta[i];
    auto* ip = rte_pktmbuf_mtod(burst_.mbufs[i], uint8_t*);
    if (is_fragment(ip)) {
      m.onward = Next::kNatOut;
      return burst_.divert(i, Next::kReassembly);
    }
    const Transport4 transport = transport_of(ip, m.ip_bytes);
    if (transport == Transport4::kDamaged) return burst_.drop(i, Drop::kNatMalformed);
    if (m.port != kNatHairpin && m.ip_bytes > mtu_of(m) && !may_fragment(ip)) {
      return burst_.refuse(i, Drop::kTooBig, mtu_of(m));
    }
    if (!statics_.empty() && by_rule(i, ip, transport)) return;
    by_mapping(i, ip, transport);
  }

  /// True for what a rule says its source; then it is on its way.
  bool by_rule(uint16_t i, uint8_t* ip, Transport4 transport) noexcept {
    const bool error = transport == Transport4::kError;
    const uint8_t* packet = error ? quoted4(ip) : ip;
    const uint32_t inside = address4(ip, Side::kSource);
    // Nobody speaks for another user's address.
    if (error && address4(packet, Side::kDestination) != inside) return false;
    const uint16_t port = service_port4(ip, transport, Side::kSource);
    const auto from = statics_.outward(inside, packet[9], port);
    if (!from) return false;
    rewrite_any4(ip, burst_.meta[i].ip_bytes, transport, Side::kSource, from->address, from->port);
    leave(i);
    return true;
  }

  void by_mapping(uint16_t i, uint8_t* ip, Transport4 transport) noexcept {
    if (transport == Transport4::kOther || transport == Transport4::kEchoReply) {
      return burst_.refuse(i, Drop::kNatProtocol);
    }
    PacketMeta& m = burst_.meta[i];
    const NatUser& user = user_of(i);
    const uint32_t owner = user.owner.load(std::memory_order_acquire);
    if (owner != worker_.id + 1) {
      if (owner == 0) return ask(i);
      m.owner = static_cast<uint8_t>(owner - 1);
      return burst_.divert(i, Next::kHandoff);
    }
    Wanted& w = found_[count_++];
    w = {key_of(i, ip, transport), 0, i, transport};
    w.hash = flows_.hash(w.key);
    flows_.fetch_bucket(w.hash);
  }

  /// An error is of the mapping that the packet it quotes was for.
  [[nodiscard]] NatKey key_of(uint16_t i, uint8_t* ip, Transport4 transport) const noexcept {
    NatKey key{};
    key.user = user_number(i);
    key.epoch = table_.user(key.user).epoch.load(std::memory_order_relaxed);
    const bool error = transport == Transport4::kError;
    const uint8_t* packet = error ? quoted4(ip) : ip;
    const Side inside = error ? Side::kDestination : Side::kSource;
    key.inside = address4(packet, inside);
    key.inside_port = port4(packet, inside);
    key.protocol = packet[9];
    if (!error && flows_.tracks(key.protocol)) {
      key.remote = address4(packet, Side::kDestination);
      // A ping's identifier is its sender's.
      key.remote_port = key.protocol == IPPROTO_ICMP ? 0 : port4(packet, Side::kDestination);
    }
    return key;
  }

  void translate(const Wanted& w) noexcept {
    NatFlow* flow = flows_.find(w.key, w.hash);
    if (w.transport == Transport4::kError) return error(w, flow);
    const uint8_t tcp_flags = tcp_flags_of(w);
    if (flow == nullptr && (tcp_flags & kTcpRst) != 0) return reset(w);
    if (flow == nullptr) {
      const Drop refusal = flows_.make(w.key, flow);
      if (refusal == Drop::kNatBlockAwaited) return ask(w.i);
      if (refusal != Drop::kNone) return burst_.refuse(w.i, refusal);
    }
    flows_.touch(*flow, tcp_flags, true);
    go_out(w, *flow);
  }

  [[nodiscard]] uint8_t tcp_flags_of(const Wanted& w) const noexcept {
    if (w.transport != Transport4::kTcp) return 0;
    return tcp_flags4(rte_pktmbuf_mtod(burst_.mbufs[w.i], const uint8_t*));
  }

  /// Of a connection that is none: the answer to whoever has tried a port makes no flow.
  void reset(const Wanted& w) noexcept {
    const NatFlow* mapping = flows_.find(w.key.of_mapping());
    if (mapping == nullptr) return burst_.drop(w.i, Drop::kNatNoMapping);
    go_out(w, *mapping);
  }

  void go_out(const Wanted& w, const NatFlow& flow) noexcept {
    rewrite4(rte_pktmbuf_mtod(burst_.mbufs[w.i], uint8_t*), burst_.meta[w.i].ip_bytes,
             Side::kSource, flow.public_address, rte_cpu_to_be_16(flow.public_port));
    leave(w.i);
  }

  /// What a host inside says of a packet that came by a mapping; it keeps none alive and ends none
  /// (RFC 5508, REQ-5 and 8).
  void error(const Wanted& w, const NatFlow* mapping) noexcept {
    if (mapping == nullptr) return burst_.drop(w.i, Drop::kNatNoMapping);
    auto* ip = rte_pktmbuf_mtod(burst_.mbufs[w.i], uint8_t*);
    rewrite_error4(ip, burst_.meta[w.i].ip_bytes, Side::kSource, mapping->public_address,
                   rte_cpu_to_be_16(mapping->public_port));
    leave(w.i);
  }

  /// The control thread gives the user a block, and the packet back.
  void ask(uint16_t i) noexcept {
    if (user_of(i).refused.load(std::memory_order_relaxed)) {
      return burst_.refuse(i, Drop::kNatNoBlock);
    }
    if (worker_.allowances.without_block.take(worker_.now, user_number(i))) {
      // Its way goes with it.
      burst_.mbufs[i]->port = burst_.meta[i].port;
      return burst_.punt(i, PuntReason::kNoBlock);
    }
    burst_.drop(i, Drop::kNatBlockAwaited);
  }

  void leave(uint16_t i) noexcept {
    PacketMeta& m = burst_.meta[i];
    if (m.port == kNatHairpin) return burst_.begin_anew(i, m.ip_bytes, Next::kNatIn);
    if (m.ip_bytes <= mtu_of(m)) return burst_.divert(i, Next::kTransmit);
    m.mtu = mtu_of(m);
    m.onward = Next::kTransmit;
    burst_.divert(i, Next::kFragment);
  }

  Worker& worker_;
  Burst& burst_;
  NatTable& table_;
  const NatStatics& statics_;
  NatFlows& flows_;
  uint16_t count_ = 0;
  Wanted found_[kBurstSize];
};

}  // namespace

void nat_out(Worker& worker, Burst& burst) noexcept { Outward(worker, burst).run(); }

}  // namespace wirelay::dataplane::stages
