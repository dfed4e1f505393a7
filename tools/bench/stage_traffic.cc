// Making and checking packets, see stage_traffic.h.
#include "tools/bench/stage_traffic.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "crypto/wire.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace wirelay::bench {

namespace {

using namespace dataplane;
using crypto::MessageTransport;

constexpr uint32_t kIpUdp = sizeof(rte_ipv4_hdr) + sizeof(rte_udp_hdr);
constexpr uint32_t kOuter = RTE_ETHER_HDR_LEN + kIpUdp + sizeof(MessageTransport);
constexpr uint32_t kClientMtu = 1420;  // a client pads no further
constexpr uint32_t kPlainNetwork = 198u << 24 | 18u << 16, kPlainHosts = 1u << 17;  // RFC 2544
constexpr uint16_t kDiscard = 9;
constexpr uint8_t kTtl = 64;
constexpr size_t kSealAtOnce = 64;

void write_ethernet(uint8_t* at, const test::Mac& to, const test::Mac& from) {
  auto* eth = reinterpret_cast<rte_ether_hdr*>(at);
  std::memcpy(&eth->dst_addr, to.data(), to.size());
  std::memcpy(&eth->src_addr, from.data(), from.size());
  eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
}

/// IPv4 and UDP header of `bytes` in all; addresses in network order.
void write_headers(uint8_t* at, uint32_t from, uint32_t to, uint16_t from_port, uint16_t to_port,
                   uint32_t bytes) {
  auto* ip = reinterpret_cast<rte_ipv4_hdr*>(at);
  *ip = {};
  ip->version_ihl = RTE_IPV4_VHL_DEF;
  ip->total_length = rte_cpu_to_be_16(static_cast<uint16_t>(bytes));
  ip->time_to_live = kTtl;
  ip->next_proto_id = IPPROTO_UDP;
  ip->src_addr = from;
  ip->dst_addr = to;
  ip->hdr_checksum = static_cast<uint16_t>(~fold_sum(ipv4_sum(at)));
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  udp->src_port = rte_cpu_to_be_16(from_port);
  udp->dst_port = rte_cpu_to_be_16(to_port);
  udp->dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes - sizeof *ip));
  udp->dgram_cksum = 0;
}

/// What every packet carries behind its headers.
const uint8_t* payload() {
  static const auto bytes = test::pattern(9216);
  return bytes.data();
}

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string("a packet came out wrong: ") + what);
}

/// An inner packet as it left, but for a hop taken, and its source where NAT has changed it.
void check_inner(const TestPacket& packet, const uint8_t* ip, bool translated) {
  if (load_be16(ip + 2) != packet.inner_bytes || !ipv4_checksum_ok(ip) || ip[8] != kTtl - 1) {
    fail("its IP header");
  }
  if (packet.from != nullptr && !translated &&
      load_as<uint32_t>(ip + 12) != packet.from->inner4.v4_be()) {
    fail("its source");
  }
  if (packet.to != nullptr && load_as<uint32_t>(ip + 16) != packet.to->inner4.v4_be()) {
    fail("its destination");
  }
  if (std::memcmp(ip + kIpUdp, payload(), packet.inner_bytes - kIpUdp) != 0) fail("its payload");
}

}  // namespace

NatKey nat_key(const Shared& shared, const test::Client& client, uint16_t port) {
  NatKey key{};
  key.inside = client.inner4.v4_be();
  key.inside_port = rte_cpu_to_be_16(port);
  key.user = client.user;
  key.epoch = shared.nat->user(client.user).epoch;
  key.protocol = IPPROTO_UDP;
  return key;
}

Direction direction_of(const std::string& text) {
  for (const Direction d : {Direction::kUp, Direction::kDown, Direction::kHub}) {
    if (text == to_text(d)) return d;
  }
  throw std::invalid_argument("a direction is up, down or hub, not \"" + text + "\"");
}

const char* to_text(Direction direction) noexcept {
  switch (direction) {
    case Direction::kUp:
      return "up";
    case Direction::kDown:
      return "down";
    default:
      return "hub";
  }
}

StageTraffic::StageTraffic(test::DataPath& path, std::span<test::Client> clients,
                           crypto::AeadEngine& engine, uint32_t ports)
    : path_(path), clients_(clients), engine_(engine), ports_(ports) {}

void StageTraffic::make(Direction direction, std::span<const uint32_t> lengths, size_t clients,
                        std::span<TestPacket> packets) {
  sealing_.clear();
  for (size_t i = 0; i < packets.size(); ++i) {
    make_one(direction, lengths[i % lengths.size()], clients, packets[i]);
    if (sealing_.size() == kSealAtOnce || i + 1 == packets.size()) {
      engine_.seal_burst(sealing_);
      sealing_.clear();
    }
  }
}

void StageTraffic::make_one(Direction direction, uint32_t length, size_t clients,
                            TestPacket& packet) {
  const auto any = [&] { return &clients_[random_() % clients]; };
  packet.inner_bytes = length;
  packet.from = direction == Direction::kDown ? nullptr : any();
  packet.to = direction == Direction::kUp ? nullptr : any();
  rte_pktmbuf_reset(packet.mbuf);
  auto* frame = rte_pktmbuf_mtod(packet.mbuf, uint8_t*);
  uint32_t bytes = RTE_ETHER_HDR_LEN + length;
  if (packet.from == nullptr) {
    write_ethernet(frame, path_.mac(1), test::DataPath::kGatewayMac);
    packet.text = write_inner(packet, frame + RTE_ETHER_HDR_LEN);
    packet.text_bytes = (length + 15) / 16 * 16;
  } else {
    packet.text = write_inner(packet, frame + kOuter);
    packet.text_bytes = std::max(length, std::min((length + 15) / 16 * 16, kClientMtu));
    std::memset(packet.text + length, 0, packet.text_bytes - length);
    write_outer(packet, frame);
    bytes = kOuter + packet.text_bytes + crypto::kTagBytes;
  }
  packet.mbuf->data_len = static_cast<uint16_t>(bytes);
  packet.mbuf->pkt_len = bytes;
}

/// Of a mapping that StageRig has made.
Endpoint StageTraffic::public_end(const test::Client& client, uint16_t port) const {
  NatFlows& flows = *path_.workers[0]->nat_flows;
  const NatFlow* flow = flows.find(nat_key(*path_.shared, client, port));
  if (flow == nullptr) fail("its mapping is gone");
  return {IpAddr::v4(&flow->public_address), flow->public_port};
}

uint8_t* StageTraffic::write_inner(TestPacket& packet, uint8_t* at) {
  // Each client talks with a host of its own there.
  const test::Client& client = packet.from != nullptr ? *packet.from : *packet.to;
  const uint32_t network = rte_cpu_to_be_32(kPlainNetwork + client.user % kPlainHosts);
  const auto port = ports_ == 0 ? kDiscard : static_cast<uint16_t>(kFirstPort + random_() % ports_);
  const Endpoint to = packet.to == nullptr ? Endpoint{}
                      : packet.from == nullptr && ports_ != 0
                          ? public_end(client, port)
                          : Endpoint{packet.to->inner4, kDiscard};
  write_headers(at, packet.from != nullptr ? packet.from->inner4.v4_be() : network,
                packet.to != nullptr ? to.addr.v4_be() : network,
                packet.from != nullptr ? port : kDiscard, packet.to != nullptr ? to.port : kDiscard,
                packet.inner_bytes);
  std::memcpy(at + kIpUdp, payload(), packet.inner_bytes - kIpUdp);
  return at;
}

/// All in front of the text, which is left to be sealed.
void StageTraffic::write_outer(const TestPacket& packet, uint8_t* frame) {
  test::Client& client = *packet.from;
  const Endpoint relay = path_.relay_endpoint(false);
  const uint32_t message = sizeof(MessageTransport) + packet.text_bytes + crypto::kTagBytes;
  write_ethernet(frame, path_.mac(0), test::DataPath::kPeerMac);
  write_headers(frame + RTE_ETHER_HDR_LEN, client.endpoint.addr.v4_be(), relay.addr.v4_be(),
                client.endpoint.port, relay.port, kIpUdp + message);
  uint8_t* transport = packet.text - sizeof(MessageTransport);
  crypto::store_le32(transport, static_cast<uint32_t>(crypto::MessageType::kTransport));
  crypto::store_le32(transport + 4, client.keys.local_index);
  crypto::store_le64(transport + 8, client.counter);
  sealing_.push_back(
      {client.keys.receive.data(), client.counter++, packet.text, packet.text_bytes, false});
}

void StageTraffic::check(std::span<const TestPacket> packets) {
  for (const TestPacket& packet : packets) {
    auto* ip = rte_pktmbuf_mtod_offset(packet.mbuf, uint8_t*, RTE_ETHER_HDR_LEN);
    if (packet.to == nullptr) {
      check_inner(packet, ip, ports_ != 0);
      continue;
    }
    if (load_as<uint32_t>(ip + 16) != packet.to->endpoint.addr.v4_be()) fail("its endpoint");
    uint8_t* transport = ip + kIpUdp;
    if (crypto::load_le32(transport + 4) != packet.to->keys.remote_index) fail("its receiver");
    const uint32_t text = load_be16(ip + 2) - kIpUdp - sizeof(MessageTransport) - crypto::kTagBytes;
    crypto::AeadPacket sealed{packet.to->keys.send.data(), crypto::load_le64(transport + 8),
                              transport + sizeof(MessageTransport), text, false};
    engine_.open_burst({&sealed, 1});
    if (!sealed.authentic) fail("its tag");
    check_inner(packet, sealed.text, false);
  }
}

}  // namespace wirelay::bench
