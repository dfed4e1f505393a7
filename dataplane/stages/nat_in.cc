// nat_in: packets for a public address of ours get the address and port inside that their
// destination is mapped to (NAT44, tables/nat.h). What is for no mapping makes none, whoever scans.
// Address and port say whose it is without a search; mappings of another worker are its to look at.
#include "dataplane/net/transport4.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/nat_origin.h"
#include "dataplane/tables/nat_flows.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

class Inward {
 public:
  Inward(Worker& worker, Burst& burst) noexcept
      : worker_(worker),
        burst_(burst),
        table_(*worker.shared.nat),
        statics_(table_.statics()),
        flows_(*worker.nat_flows) {}

  void run() noexcept {
    for (uint16_t i = 0; i < burst_.count; ++i) look(i);
    for (uint16_t k = 0; k < count_; ++k) find_mapping(found_[k]);
    for (uint16_t k = 0; k < count_; ++k) find_bucket(found_[k]);
    for (uint16_t k = 0; k < count_; ++k) {
      if (found_[k].tracked) flows_.fetch_first(found_[k].hash);
    }
    for (uint16_t k = 0; k < count_; ++k) {
      if (found_[k].mapping != 0) translate(found_[k]);
    }
  }

 private:
  /// A packet for a port of ours.
  struct Wanted {
    uint64_t hash;  // of the flow's key, where `tracked`
    uint32_t block;
    uint32_t mapping;  // 0: it has none, and goes elsewhere
    uint16_t i;
    uint16_t port;  // network order
    Transport4 transport;
    bool tracked;
  };

  uint8_t* ip_of(const Wanted& w) noexcept { return rte_pktmbuf_mtod(burst_.mbufs[w.i], uint8_t*); }

  void look(uint16_t i) noexcept {
    PacketMeta& m = burst_.meta[i];
    auto* ip = rte_pktmbuf_mtod(burst_.mbufs[i], uint8_t*);
    if (is_fragment(ip)) {
      m.onward = Next::kNatIn;
      return burst_.divert(i, Next::kReassembly);
    }
    const Transport4 transport = transport_of(ip, m.ip_bytes);
    if (transport == Transport4::kDamaged) return burst_.drop(i, Drop::kNatMalformed);
    if (!statics_.empty() && by_rule(i, ip, transport)) return;
    if (transport == Transport4::kOther || transport == Transport4::kEchoRequest) {
      return burst_.drop(i, Drop::kNatProtocol);
    }
    // An error is of the mapping that the packet it quotes came by.
    const bool error = transport == Transport4::kError;
    const uint32_t address = address4(ip, Side::kDestination);
    const uint8_t* packet = error ? quoted4(ip) : ip;
    const Side ours = error ? Side::kSource : Side::kDestination;
    const uint16_t port = port4(packet, ours);
    const uint32_t block = table_.block_of(table_.index_of(address), rte_be_to_cpu_16(port));
    if (block == kNatNone || address4(packet, ours) != address) {
      return burst_.drop(i, Drop::kNatNoMapping);
    }
    __builtin_prefetch(&table_.block(block));
    __builtin_prefetch(&table_.mapping(block, rte_be_to_cpu_16(port)));
    found_[count_++] = {0, block, 0, i, port, transport, false};
  }

  /// True for what a rule says where it goes; then it is on its way there.
  bool by_rule(uint16_t i, uint8_t* ip, Transport4 transport) noexcept {
    PacketMeta& m = burst_.meta[i];
    const uint32_t address = address4(ip, Side::kDestination);
    const uint16_t port = service_port4(ip, transport, Side::kDestination);
    const bool error = transport == Transport4::kError;
    const uint8_t* packet = error ? quoted4(ip) : ip;
    if (error && address4(packet, Side::kSource) != address) return false;
    const auto to = statics_.inward(address, packet[9], port);
    if (!to) return false;
    NatOrigin{address, port}.note(m);
    rewrite_any4(ip, m.ip_bytes, transport, Side::kDestination, to->address, to->port);
    burst_.divert(i, Next::kForward);
    return true;
  }

  void find_mapping(Wanted& w) noexcept {
    const NatBlock& block = table_.block(w.block);
    if (block.user.load(std::memory_order_acquire) == 0) {
      return burst_.drop(w.i, Drop::kNatNoMapping);
    }
    const uint32_t owner = block.owner.load(std::memory_order_relaxed);
    if (owner != worker_.id + 1) {
      burst_.meta[w.i].owner = static_cast<uint8_t>(owner - 1);
      return burst_.divert(w.i, Next::kHandoff);
    }
    w.mapping = table_.mapping(w.block, rte_be_to_cpu_16(w.port));
    if (w.mapping == 0) return burst_.drop(w.i, Drop::kNatNoMapping);
    flows_.fetch(w.mapping);
  }

  void find_bucket(Wanted& w) noexcept {
    if (w.mapping == 0) return;
    uint8_t* ip = ip_of(w);
    const bool error = w.transport == Transport4::kError;
    const NatFlow& mapping = flows_[w.mapping];
    if (mapping.key.protocol != (error ? quoted4(ip) : ip)[9]) {
      w.mapping = 0;
      return burst_.drop(w.i, Drop::kNatNoMapping);
    }
    w.tracked = !error && flows_.tracks(mapping.key.protocol);
    if (!w.tracked) return;
    w.hash = flows_.hash(key_of(mapping, ip));
    flows_.fetch_bucket(w.hash);
  }

  static NatKey key_of(const NatFlow& mapping, const uint8_t* ip) noexcept {
    NatKey key = mapping.key;
    key.remote = address4(ip, Side::kSource);
    key.remote_port = ip[9] == IPPROTO_ICMP ? uint16_t{0} : port4(ip, Side::kSource);
    return key;
  }

  void translate(const Wanted& w) noexcept {
    const NatFlow& mapping = flows_[w.mapping];
    uint8_t* ip = ip_of(w);
    PacketMeta& m = burst_.meta[w.i];
    m.peer = mapping.key.user + 1;
    if (w.transport == Transport4::kError) {
      rewrite_error4(ip, m.ip_bytes, Side::kDestination, mapping.key.inside,
                     mapping.key.inside_port);
      return burst_.divert(w.i, Next::kForward);
    }
    if (w.tracked && !pass(w, mapping, ip)) return burst_.drop(w.i, Drop::kNatFiltered);
    NatOrigin{address4(ip, Side::kDestination), w.port}.note(m);
    rewrite4(ip, m.ip_bytes, Side::kDestination, mapping.key.inside, mapping.key.inside_port);
    burst_.divert(w.i, Next::kForward);
  }

  /// Of what is tracked: whether this remote may send to the mapping. What it opens itself is known
  /// from the answer on: a scan of an open port makes no flows.
  bool pass(const Wanted& w, const NatFlow& mapping, const uint8_t* ip) noexcept {
    NatFlow* flow = flows_.find(key_of(mapping, ip), w.hash);
    if (flow == nullptr) {
      return table_.settings.filtering == NatFiltering::kEndpointIndependent;
    }
    const uint8_t tcp_flags = w.transport == Transport4::kTcp ? tcp_flags4(ip) : uint8_t{0};
    flows_.touch(*flow, tcp_flags, false);
    return true;
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

void nat_in(Worker& worker, Burst& burst) noexcept { Inward(worker, burst).run(); }

}  // namespace wirelay::dataplane::stages
