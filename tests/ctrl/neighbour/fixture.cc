// Two ports and their neighbours, see fixture.h.
#include "tests/ctrl/neighbour/fixture.h"

#include <algorithm>
#include <cstring>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_ip.h>
#include <rte_mempool.h>

#include "ctrl/base/log.h"

namespace wirelay::test {

using dataplane::IpAddr;
using dataplane::PuntReason;

namespace {

ctrl::PortConfig port_config(const char* name, uint16_t mtu,
                             const std::vector<std::string>& addresses,
                             const std::vector<const char*>& gateways, bool egress) {
  ctrl::PortConfig out;
  out.name = name;
  out.mtu = mtu;
  out.egress = egress;
  for (const std::string& text : addresses) {
    dataplane::PortAddress a;
    a.addr = addr(text.substr(0, text.find('/')).c_str());
    a.network = prefix(text.c_str());
    out.addresses.push_back(a);
  }
  for (const char* gateway : gateways) out.gateways.push_back(addr(gateway));
  return out;
}

/// The frame of a builder that knows no options, with a link-layer address behind it.
Bytes with_option(Bytes frame, uint8_t type, const Mac& mac, uint8_t flags) {
  frame[14 + 5] = 32;
  frame[14 + 44] = flags;
  frame = frame + Bytes{type, 1} + Bytes(mac.begin(), mac.end());
  return frame;
}

}  // namespace

void NeighbourFixture::setUp() {
  log_level_ = ctrl::log_level();
  ctrl::set_log_level(ctrl::LogLevel::kError);  // gateways do not answer here
  pool_ = rte_pktmbuf_pool_create("neighbours_test", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                  SOCKET_ID_ANY);
  CPPUNIT_ASSERT(pool_ != nullptr);
  const dataplane::Sizes sizes{.users = 4,
                               .peers = 4,
                               .sessions = 16,
                               .prefixes = 256,
                               .neighbours = neighbours_in_all_,
                               .punt_ring = 64,
                               .handoff_ring = 128,
                               .replay_packets = 1024};
  shared_ = std::make_unique<dataplane::Shared>(sizes, 1, kSecond);
  shared_->pool = pool_;
  config_.ports = {port_config("wan", 1500, {"192.0.2.1/24", "192.0.2.3/24", "2001:db8:1::1/64"},
                               {"192.0.2.254", "2001:db8:1::fe"}, false),
                   port_config("inet", 1400, {"198.51.100.1/24"}, {"198.51.100.254"}, true)};
  config_.routes = {{prefix("10.9.0.0/16"), "wan", addr("192.0.2.9")}};
  config_.tunnel_addresses = {addr("10.77.0.1"), addr("fd77::1")};
  for (uint16_t i = 0; i < 2; ++i) {
    dataplane::Port& port = shared_->ports[i];
    port.id = i;
    port.mtu = *config_.ports[i].mtu;
    port.name = config_.ports[i].name;
    std::memcpy(&port.mac, (i == 0 ? kWan : kInet).data(), 6);
    port.addresses = config_.ports[i].addresses;
    if (i == 0) port.addresses.push_back(link_local());
  }
  prefixes_ = std::make_unique<dataplane::PrefixWriter>(shared_->prefixes, shared_->rcu);
  neighbours_ = std::make_unique<ctrl::Neighbours>(*shared_, *prefixes_, config_);
  tick(0);
  at_start_ = sent();
}

void NeighbourFixture::tearDown() {
  neighbours_.reset();
  sent();
  refused();
  prefixes_.reset();
  shared_.reset();
  CPPUNIT_ASSERT_EQUAL(0u, rte_mempool_in_use_count(pool_));
  rte_mempool_free(pool_);
  ctrl::set_log_level(log_level_);
}

dataplane::PortAddress NeighbourFixture::link_local() {
  rte_ether_addr mac;
  std::memcpy(&mac, kWan.data(), 6);
  return ctrl::link_local_address(mac);
}

rte_mbuf* NeighbourFixture::mbuf(const Bytes& bytes) {
  rte_mbuf* out = rte_pktmbuf_alloc(pool_);
  CPPUNIT_ASSERT(out != nullptr);
  std::memcpy(rte_pktmbuf_append(out, static_cast<uint16_t>(bytes.size())), bytes.data(),
              bytes.size());
  out->port = 0;
  return out;
}

void NeighbourFixture::receive(const Bytes& frame) {
  const bool is_arp = frame.size() >= 14 && frame[12] == 8 && frame[13] == 6;
  neighbours_->handle(
      dataplane::Punt{mbuf(frame), is_arp ? PuntReason::kArp : PuntReason::kNeighbour, 0, 0, 0},
      now_);
}

void NeighbourFixture::punt(const Bytes& packet, uint16_t port, uint16_t adjacency) {
  rte_mbuf* m = mbuf(packet);
  m->port = port;
  neighbours_->handle(dataplane::Punt{m, PuntReason::kUnresolved, 0, adjacency, 0}, now_);
}

void NeighbourFixture::reply(const char* host, const Mac& mac) {
  receive(ethernet(kWan, mac, kTypeArp, arp(kReply, mac, addr(host), addr("192.0.2.1"))));
}

Bytes NeighbourFixture::solicitation(const char* from, const char* target) {
  IpAddr group = addr("ff02::1:ff00:0");
  std::copy_n(&addr(target).bytes[13], 3, &group.bytes[13]);
  return ethernet(kWan, kHost, kTypeIpv6, neighbour(135, addr(from), group, addr(target)));
}

Bytes NeighbourFixture::solicitation_with_source(const char* from, const char* target,
                                                 const Mac& mac) {
  Bytes frame = with_option(solicitation(from, target), 1, mac, 0);
  fix_icmp6(frame);
  return frame;
}

Bytes NeighbourFixture::advertisement(const char* target, const Mac& mac, uint8_t flags) {
  Bytes frame =
      with_option(ethernet(kWan, mac, kTypeIpv6,
                           neighbour(136, addr(target), addr("2001:db8:1::1"), addr(target))),
                  2, mac, flags);
  fix_icmp6(frame);
  return frame;
}

void NeighbourFixture::fix_icmp6(Bytes& frame) {
  auto* ip = reinterpret_cast<rte_ipv6_hdr*>(&frame[14]);
  frame[14 + 42] = frame[14 + 43] = 0;
  const uint16_t sum = rte_ipv6_udptcp_cksum(ip, ip + 1);
  std::memcpy(&frame[14 + 42], &sum, 2);
}

Bytes NeighbourFixture::inner(uint8_t mark) {
  return ip(addr("10.0.0.2"), addr("192.0.2.50"), kUdp, pattern(20, mark));
}

std::vector<Frame> NeighbourFixture::sent() {
  std::vector<Frame> out;
  rte_mbuf* frame;
  while (shared_->mailboxes[0]->transmit.pop_burst(&frame, 1) == 1) {
    const auto* at = rte_pktmbuf_mtod(frame, const uint8_t*);
    out.push_back(parse_frame(Bytes(at, at + rte_pktmbuf_data_len(frame))));
    rte_pktmbuf_free(frame);
  }
  return out;
}

std::vector<Bytes> NeighbourFixture::refused() {
  std::vector<Bytes> out;
  dataplane::Refused item;
  while (shared_->mailboxes[0]->refused.pop_burst(&item, 1) == 1) {
    CPPUNIT_ASSERT(item.reason == dataplane::Drop::kNeighbourUnresolved);
    const auto* at = rte_pktmbuf_mtod(item.mbuf, const uint8_t*);
    out.push_back(Bytes(at, at + rte_pktmbuf_data_len(item.mbuf)));
    rte_pktmbuf_free(item.mbuf);
  }
  return out;
}

bool NeighbourFixture::asks_for(const Frame& frame, const char* target) {
  return frame.type == kTypeArp && frame.payload[7] == kRequest &&
         IpAddr::v4(&frame.payload[24]) == addr(target);
}

size_t NeighbourFixture::unicast_probes(const Mac& to) {
  size_t count = 0;
  for (const Frame& f : sent()) count += f.to == to && f.type == kTypeArp;
  return count;
}

void NeighbourFixture::answer_probes() {
  for (const Frame& f : sent()) {
    if (f.to == kHost && asks_for(f, "192.0.2.50")) reply("192.0.2.50", kHost);
    if (f.to == kOther && asks_for(f, "192.0.2.51")) reply("192.0.2.51", kOther);
  }
}

void NeighbourFixture::tick(uint64_t ns) {
  now_.ns += ns;
  now_.tsc += ns;
  neighbours_->tick(now_);
}

ctrl::PacketSender::Hop NeighbourFixture::hop(const char* to, const uint16_t* port) {
  const auto found = neighbours_->route(addr(to), nullptr, port);
  CPPUNIT_ASSERT(found);
  return *found;
}

uint16_t NeighbourFixture::resolve(const char* host, const Mac& mac) {
  const uint16_t out = route(host);
  neighbours_->send(mbuf(inner(1)), 0, out);
  reply(host, mac);
  sent();
  CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of(host));
  return out;
}

std::string NeighbourFixture::state_of(const char* host) {
  for (const auto& n : neighbours_->status()) {
    if (n.addr == addr(host)) return n.state;
  }
  return "";
}

uint64_t NeighbourFixture::mac_word(const Mac& mac) {
  uint64_t out = 0;
  std::memcpy(&out, mac.data(), 6);
  return out | dataplane::Adjacency::kResolved;
}

}  // namespace wirelay::test
