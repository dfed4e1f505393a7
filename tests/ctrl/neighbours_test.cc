// Protects: that next hops are found, refreshed, forgotten and answered for as ARP and neighbour
// discovery ask, that packets wait for them but not for ever, and that hostile messages gain
// nothing.
#include "ctrl/neighbours.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_ip.h>
#include <rte_mempool.h>

#include "ctrl/neighbour/nd.h"
#include "tests/support/packets.h"

namespace wirelay::test {

using dataplane::IpAddr;
using dataplane::PuntReason;
using dataplane::RouteKind;
using dataplane::RouteTarget;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr Mac kWan = {2, 0, 0, 0, 0, 1}, kInet = {2, 0, 0, 0, 0, 2};  // our ports
constexpr Mac kHost = {2, 0, 0, 0, 1, 1}, kOther = {2, 0, 0, 0, 1, 2};
constexpr uint16_t kRequest = 1, kReply = 2;

}  // namespace

class NeighboursTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NeighboursTest);
  CPPUNIT_TEST(prefix_table_holds_what_is_ours);
  CPPUNIT_TEST(gateways_are_asked_for_at_once_and_on_and_on);
  CPPUNIT_TEST(answers_arp);
  CPPUNIT_TEST(answers_solicitations);
  CPPUNIT_TEST(answers_address_probes);
  CPPUNIT_TEST(asks_by_arp_and_sends_what_waited);
  CPPUNIT_TEST(asks_by_solicitation);
  CPPUNIT_TEST(few_packets_wait);
  CPPUNIT_TEST(silent_host_is_given_up);
  CPPUNIT_TEST(resolved_is_refreshed_and_lost_when_silent);
  CPPUNIT_TEST(idle_hosts_are_forgotten_used_ones_stay);
  CPPUNIT_TEST(held_hosts_stay);
  CPPUNIT_TEST(punted_packet_for_a_connected_host);
  CPPUNIT_TEST(host_route_yields_to_a_peer);
  CPPUNIT_TEST(strangers_are_not_learned);
  CPPUNIT_TEST(who_asks_us_is_learned);
  CPPUNIT_TEST(moved_neighbour_is_followed);
  CPPUNIT_TEST(advertisement_without_override_moves_nothing);
  CPPUNIT_TEST(malformed_messages_are_refused);
  CPPUNIT_TEST(sweep_over_a_network_leaves_the_resolved);
  CPPUNIT_TEST(routes_of_outer_paths);
  CPPUNIT_TEST(local_address_of_outer_paths);
  CPPUNIT_TEST(full_transmit_ring_loses_no_buffer);
  CPPUNIT_TEST(link_local_from_mac);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    pool_ = rte_pktmbuf_pool_create("neighbours_test", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                    SOCKET_ID_ANY);
    CPPUNIT_ASSERT(pool_ != nullptr);
    start();
    tick(0);
    at_start_ = sent();
  }
  void tearDown() override {
    stop();
    CPPUNIT_ASSERT_EQUAL(0u, rte_mempool_in_use_count(pool_));
    rte_mempool_free(pool_);
  }

  void prefix_table_holds_what_is_ours() {
    for (const char* ours :
         {"192.0.2.1", "2001:db8:1::1", "198.51.100.1", "10.77.0.1", "fd77::1"}) {
      CPPUNIT_ASSERT(lookup(ours).kind() == RouteKind::kLocal);
    }
    CPPUNIT_ASSERT(lookup("192.0.2.50") == RouteTarget::make(RouteKind::kConnected, 0));
    CPPUNIT_ASSERT(lookup("2001:db8:1::50") == RouteTarget::make(RouteKind::kConnected, 0));
    CPPUNIT_ASSERT(lookup("198.51.100.50") == RouteTarget::make(RouteKind::kConnected, 1));
    // The egress port's gateway takes the rest, not the other port's.
    CPPUNIT_ASSERT(lookup("8.8.8.8") ==
                   RouteTarget::make(RouteKind::kVia, number("198.51.100.254")));
    CPPUNIT_ASSERT(lookup("2001:db8:ffff::1").kind() == RouteKind::kNone);
    CPPUNIT_ASSERT(lookup("10.9.1.1") == RouteTarget::make(RouteKind::kVia, number("192.0.2.9")));
    CPPUNIT_ASSERT(lookup("fe80::1").kind() == RouteKind::kNone);
  }

  void gateways_are_asked_for_at_once_and_on_and_on() {
    const auto& frames = at_start_;
    CPPUNIT_ASSERT_EQUAL(size_t{4}, frames.size());  // three gateways and the next hop of a route
    for (const Frame& frame : frames) {
      const bool v6 = frame.type == kTypeIpv6;
      CPPUNIT_ASSERT(v6 ? frame.to[0] == 0x33 : frame.to == kBroadcast);
    }
    for (int i = 0; i < 10; ++i) tick(kSecond);
    CPPUNIT_ASSERT(sent().size() >= 30);
    CPPUNIT_ASSERT_EQUAL(std::string("failed"), state_of("192.0.2.254"));
  }

  void answers_arp() {
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.50"), addr("192.0.2.1"))));
    const auto frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT(frames[0].to == kHost && frames[0].from == kWan);
    CPPUNIT_ASSERT(std::ranges::equal(arp(kReply, kWan, addr("192.0.2.1"), addr("192.0.2.50")),
                                      with_zero_target_mac(frames[0].payload)));
    CPPUNIT_ASSERT(std::equal(kHost.begin(), kHost.end(), frames[0].payload.begin() + 18));
    // Not for others' addresses, nor for ours on another port.
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.50"), addr("192.0.2.2"))));
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.50"), addr("198.51.100.1"))));
    CPPUNIT_ASSERT(sent().empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, neighbours_->counters().answered);
  }

  void answers_solicitations() {
    receive(solicitation("2001:db8:1::50", "2001:db8:1::1"));
    const auto frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT(frames[0].to == kHost);
    const Parsed ip = parse_ip_packet(frames[0].payload);
    CPPUNIT_ASSERT(ip.valid && ip.ttl == 255);
    CPPUNIT_ASSERT(ip.from == addr("2001:db8:1::1") && ip.to == addr("2001:db8:1::50"));
    const Bytes& nd = ip.payload;
    CPPUNIT_ASSERT_EQUAL(size_t{32}, nd.size());
    CPPUNIT_ASSERT_EQUAL(136, int{nd[0]});
    CPPUNIT_ASSERT_EQUAL(0xe0, int{nd[4]});  // router, solicited, override
    CPPUNIT_ASSERT(IpAddr::v6(&nd[8]) == addr("2001:db8:1::1"));
    CPPUNIT_ASSERT_EQUAL(2, int{nd[24]});
    CPPUNIT_ASSERT(std::equal(kWan.begin(), kWan.end(), nd.begin() + 26));
    // Its own link-local address is answered for as well.
    receive(solicitation("fe80::50", to_string(link_local().addr).c_str()));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sent().size());
  }

  void answers_address_probes() {
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("0.0.0.0"), addr("192.0.2.1"))));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sent().size());
    receive(solicitation("::", "2001:db8:1::1"));
    const auto frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT((frames[0].to == Mac{0x33, 0x33, 0, 0, 0, 1}));
    const Parsed ip = parse_ip_packet(frames[0].payload);
    CPPUNIT_ASSERT(ip.valid && ip.to == addr("ff02::1"));
    CPPUNIT_ASSERT_EQUAL(0xa0, int{ip.payload[4]});  // not solicited
  }

  void asks_by_arp_and_sends_what_waited() {
    const uint16_t host = route("192.0.2.50");
    const Bytes packet = ip(addr("192.0.2.1"), addr("192.0.2.50"), kUdp, pattern(40));
    neighbours_->send(mbuf(packet), 0, host);
    auto frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT(frames[0].to == kBroadcast && frames[0].from == kWan);
    CPPUNIT_ASSERT(std::ranges::equal(arp(kRequest, kWan, addr("192.0.2.1"), addr("192.0.2.50")),
                                      frames[0].payload));
    CPPUNIT_ASSERT_EQUAL(std::string("probing"), state_of("192.0.2.50"));
    reply("192.0.2.50", kHost);
    frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT(frames[0].to == kHost && frames[0].type == kTypeIpv4);
    CPPUNIT_ASSERT(frames[0].payload == packet);
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
    CPPUNIT_ASSERT_EQUAL(mac_word(kHost), shared_->adjacencies[host].mac_word.load());
    CPPUNIT_ASSERT(lookup("192.0.2.50") == RouteTarget::make(RouteKind::kVia, host));
    neighbours_->send(mbuf(packet), 0, host);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sent().size());
  }

  void asks_by_solicitation() {
    const uint16_t host = route("2001:db8:1::12:3456");
    const Bytes packet = ip(addr("2001:db8:1::1"), addr("2001:db8:1::12:3456"), kUdp, pattern(40));
    neighbours_->send(mbuf(packet), 0, host);
    auto frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT((frames[0].to == Mac{0x33, 0x33, 0xff, 0x12, 0x34, 0x56}));
    const Parsed nd = parse_ip_packet(frames[0].payload);
    CPPUNIT_ASSERT(nd.valid && nd.ttl == 255);
    CPPUNIT_ASSERT(nd.from == link_local().addr && nd.to == addr("ff02::1:ff12:3456"));
    CPPUNIT_ASSERT_EQUAL(135, int{nd.payload[0]});
    receive(advertisement("2001:db8:1::12:3456", kHost, 0x60));
    frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT(frames[0].to == kHost && frames[0].type == kTypeIpv6);
    CPPUNIT_ASSERT(frames[0].payload == packet);
  }

  void few_packets_wait() {
    const uint16_t host = route("192.0.2.50");
    for (uint8_t i = 0; i < 10; ++i) neighbours_->send(mbuf(inner(i)), 0, host);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sent().size());  // asked once
    CPPUNIT_ASSERT_EQUAL(uint64_t{6}, neighbours_->counters().held_dropped);
    reply("192.0.2.50", kHost);
    const auto frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{4}, frames.size());
    CPPUNIT_ASSERT(frames[0].payload == inner(6) && frames[3].payload == inner(9));
  }

  void silent_host_is_given_up() {
    const uint16_t host = route("192.0.2.50");
    neighbours_->send(mbuf(inner(1)), 0, host);
    size_t asked = 0;
    for (int i = 0; i < 10; ++i) {
      for (const Frame& f : sent()) asked += f.type == kTypeArp && asks_for(f, "192.0.2.50");
      tick(kSecond);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{3}, asked);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, neighbours_->counters().held_dropped);
    CPPUNIT_ASSERT_EQUAL(std::string("failed"), state_of("192.0.2.50"));
    neighbours_->send(mbuf(inner(2)), 0, host);  // it is asked again
    reply("192.0.2.50", kHost);
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
  }

  void resolved_is_refreshed_and_lost_when_silent() {
    const uint16_t host = resolve("192.0.2.50", kHost);
    const int held = 1;
    neighbours_->hold(host);
    sent();
    for (int i = 0; i < 30; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, unicast_probes(kHost));
    CPPUNIT_ASSERT(shared_->adjacencies[host].mac_word.load() != 0);  // valid while it is asked
    reply("192.0.2.50", kHost);
    for (int i = 0; i < 29; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, unicast_probes(kHost));
    for (int i = 0; i < 3; ++i) tick(kSecond);
    CPPUNIT_ASSERT(unicast_probes(kHost) >= 1);
    for (int i = 0; i < 3; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, shared_->adjacencies[host].mac_word.load());
    CPPUNIT_ASSERT(lookup("192.0.2.50").kind() == RouteKind::kConnected);
    for (int i = 0; i < held; ++i) neighbours_->release(host);
  }

  void idle_hosts_are_forgotten_used_ones_stay() {
    const uint16_t idle = resolve("192.0.2.50", kHost);
    const uint16_t used = resolve("192.0.2.51", kOther);
    for (int i = 0; i < 400; ++i) {
      tick(kSecond);
      shared_->adjacencies[used].used.store(true);
      answer_probes();
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), state_of("192.0.2.50"));
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.51"));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, shared_->adjacencies[idle].mac_word.load());
    CPPUNIT_ASSERT(lookup("192.0.2.50").kind() == RouteKind::kConnected);
    CPPUNIT_ASSERT(lookup("192.0.2.51").kind() == RouteKind::kVia);
    shared_->rcu.poll();
    CPPUNIT_ASSERT_EQUAL(idle, route("192.0.2.60"));  // its number is free again
  }

  void held_hosts_stay() {
    const uint16_t host = resolve("192.0.2.50", kHost);
    neighbours_->hold(host);
    for (int i = 0; i < 1000; ++i) tick(kSecond);  // nobody answers
    CPPUNIT_ASSERT_EQUAL(std::string("failed"), state_of("192.0.2.50"));
    CPPUNIT_ASSERT_EQUAL(host, route("192.0.2.50"));
    neighbours_->release(host);
    for (int i = 0; i < 400; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string(), state_of("192.0.2.50"));
  }

  void punted_packet_for_a_connected_host() {
    const Bytes packet = ip(addr("10.0.0.2"), addr("192.0.2.50"), kUdp, pattern(40));
    punt(packet, 0, dataplane::kNoAdjacency);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sent().size());
    reply("192.0.2.50", kHost);
    CPPUNIT_ASSERT(sent().at(0).payload == packet);
    // Not to broadcast addresses, to ourselves, or to other networks.
    for (const char* to : {"192.0.2.255", "192.0.2.0", "192.0.2.1", "198.51.100.7", "224.0.0.1"}) {
      punt(ip(addr("10.0.0.2"), addr(to), kUdp, pattern(40)), 0, dataplane::kNoAdjacency);
    }
    punt({0x45}, 0, dataplane::kNoAdjacency);
    CPPUNIT_ASSERT_EQUAL(uint64_t{6}, neighbours_->counters().no_route);
    CPPUNIT_ASSERT(sent().empty());
    punt(packet, 0, 999);  // a number that is nobody's
    CPPUNIT_ASSERT_EQUAL(uint64_t{7}, neighbours_->counters().no_route);
  }

  void host_route_yields_to_a_peer() {
    const RouteTarget peer = RouteTarget::make(RouteKind::kPeer, 5);
    prefixes_->set(prefix("192.0.2.50/32"), peer);
    const uint16_t host = resolve("192.0.2.50", kHost);
    CPPUNIT_ASSERT(lookup("192.0.2.50") == peer);
    // The other way round: the peer comes later, and its prefix survives the host's end.
    resolve("192.0.2.51", kOther);
    prefixes_->set(prefix("192.0.2.51/32"), peer);
    for (int i = 0; i < 400; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string(), state_of("192.0.2.51"));
    CPPUNIT_ASSERT(lookup("192.0.2.51") == peer);
    CPPUNIT_ASSERT(host != dataplane::kNoAdjacency);
  }

  void strangers_are_not_learned() {
    const size_t before = neighbours_->status().size();
    reply("192.0.2.50", kHost);
    receive(ethernet(kBroadcast, kHost, kTypeArp,  // gratuitous
                     arp(kRequest, kHost, addr("192.0.2.51"), addr("192.0.2.51"))));
    receive(advertisement("2001:db8:1::50", kHost, 0x20));
    CPPUNIT_ASSERT_EQUAL(before, neighbours_->status().size());
    // Nor from a network that is not the port's, even when they ask for us.
    receive(ethernet(kWan, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("198.51.100.7"), addr("192.0.2.1"))));
    CPPUNIT_ASSERT_EQUAL(before, neighbours_->status().size());
    // Nor for our own address.
    receive(ethernet(kWan, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.1"), addr("192.0.2.1"))));
    CPPUNIT_ASSERT_EQUAL(before, neighbours_->status().size());
  }

  void who_asks_us_is_learned() {
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.50"), addr("192.0.2.1"))));
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
  }

  void moved_neighbour_is_followed() {
    const uint16_t host = resolve("192.0.2.50", kHost);
    receive(ethernet(kBroadcast, kOther, kTypeArp,  // gratuitous: an address taken over
                     arp(kRequest, kOther, addr("192.0.2.50"), addr("192.0.2.50"))));
    CPPUNIT_ASSERT_EQUAL(mac_word(kOther), shared_->adjacencies[host].mac_word.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, neighbours_->counters().moved);
  }

  void advertisement_without_override_moves_nothing() {
    const uint16_t host = route("2001:db8:1::50");
    neighbours_->send(mbuf(inner(1)), 0, host);
    receive(advertisement("2001:db8:1::50", kHost, 0x60));
    receive(advertisement("2001:db8:1::50", kOther, 0x40));
    CPPUNIT_ASSERT_EQUAL(mac_word(kHost), shared_->adjacencies[host].mac_word.load());
    receive(advertisement("2001:db8:1::50", kOther, 0x20));
    CPPUNIT_ASSERT_EQUAL(mac_word(kOther), shared_->adjacencies[host].mac_word.load());
    sent();
  }

  void malformed_messages_are_refused() {
    route("192.0.2.50");
    route("2001:db8:1::50");
    neighbours_->send(mbuf(inner(1)), 0, route("192.0.2.50"));
    neighbours_->send(mbuf(inner(1)), 0, route("2001:db8:1::50"));
    sent();
    uint64_t refused = 0;
    const auto expect_refused = [&](const Bytes& frame) {
      receive(frame);
      CPPUNIT_ASSERT_EQUAL(++refused, neighbours_->counters().malformed);
      CPPUNIT_ASSERT(sent().empty());
    };
    const Bytes good_arp =
        ethernet(kWan, kHost, kTypeArp, arp(kReply, kHost, addr("192.0.2.50"), addr("192.0.2.1")));
    for (const size_t at : {14, 15, 16, 17, 18, 19, 20, 21}) {  // types, lengths, operation
      Bytes bad = good_arp;
      bad[at] ^= 0x40;
      expect_refused(bad);
    }
    Bytes group = good_arp;
    group[22] = 1;  // a multicast address as the sender's
    expect_refused(group);
    const Bytes good_nd = advertisement("2001:db8:1::50", kHost, 0x60);
    Bytes bad = good_nd;
    bad[14 + 7] = 254;  // forwarded
    expect_refused(bad);
    bad = good_nd;
    bad[14 + 42] ^= 1;  // checksum
    expect_refused(bad);
    for (const auto& [at, value] : {std::pair<size_t, uint8_t>{1, 1},  // code
                                    {8, 0xff},                         // multicast target
                                    {25, 0},                           // option of length 0
                                    {25, 2},                           // longer than the message
                                    {26, 0x33}}) {                     // multicast address in it
      bad = good_nd;
      bad[14 + 40 + at] = value;
      fix_icmp6(bad);
      expect_refused(bad);
    }
    bad = solicitation("::", "2001:db8:1::1");  // a probe must not tell an address
    CPPUNIT_ASSERT(bad.size() == 14 + 40 + 24);
    Bytes probe = solicitation_with_source("::", "2001:db8:1::1", kHost);
    expect_refused(probe);
    for (const Bytes& good : {good_arp, good_nd}) {
      for (size_t bytes = 14; bytes < good.size(); ++bytes) {
        expect_refused({good.begin(), good.begin() + static_cast<long>(bytes)});
      }
    }
    CPPUNIT_ASSERT_EQUAL(std::string("probing"), state_of("192.0.2.50"));
    CPPUNIT_ASSERT_EQUAL(std::string("probing"), state_of("2001:db8:1::50"));
    receive(good_nd);
    receive(good_arp);
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("2001:db8:1::50"));
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
    sent();
  }

  void sweep_over_a_network_leaves_the_resolved() {
    resolve("192.0.2.50", kHost);
    const uint16_t path = route("192.0.2.51");
    neighbours_->hold(path);
    for (int i = 0; i < 2000; ++i) {
      const std::string to = "2001:db8:1::aa:" + std::to_string(i);
      punt(ip(addr("fd00::2"), addr(to.c_str()), kUdp, pattern(40)), 0, dataplane::kNoAdjacency);
      sent();
      tick(kSecond / 100);
      shared_->rcu.poll();
    }
    CPPUNIT_ASSERT(neighbours_->status().size() <= shared_->adjacencies.capacity());
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
    CPPUNIT_ASSERT_EQUAL(path, route("192.0.2.51"));
    CPPUNIT_ASSERT(!state_of("198.51.100.254").empty());
    // And there is still room for who comes next.
    CPPUNIT_ASSERT(resolve("192.0.2.99", kOther) != dataplane::kNoAdjacency);
  }

  void routes_of_outer_paths() {
    const uint16_t wan = 0, inet = 1;
    CPPUNIT_ASSERT_EQUAL(number("192.0.2.254"), hop("8.8.8.8", &wan).adjacency);
    CPPUNIT_ASSERT_EQUAL(number("198.51.100.254"), hop("8.8.8.8", &inet).adjacency);
    // Not heard of yet: by a port that is not the egress.
    CPPUNIT_ASSERT_EQUAL(number("192.0.2.254"), hop("8.8.8.8", nullptr).adjacency);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1}, hop("198.51.100.7", nullptr).port);
    CPPUNIT_ASSERT_EQUAL(number("2001:db8:1::fe"), hop("2001:db8:9::9", &wan).adjacency);
    // A port without a gateway of the family: by another one.
    CPPUNIT_ASSERT_EQUAL(uint16_t{0}, hop("2001:db8:9::9", &inet).port);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1400}, hop("198.51.100.7", nullptr).mtu);
    CPPUNIT_ASSERT(!neighbours_->route(addr("fe80::9"), nullptr, nullptr));
    CPPUNIT_ASSERT(neighbours_->route(addr("fe80::9"), nullptr, &wan));
  }

  void local_address_of_outer_paths() {
    const uint16_t wan = 0;
    const IpAddr second = addr("192.0.2.3"), none{};
    CPPUNIT_ASSERT(hop("192.0.2.50", &wan).local == addr("192.0.2.1"));
    CPPUNIT_ASSERT(neighbours_->route(addr("192.0.2.50"), &second, &wan)->local == second);
    CPPUNIT_ASSERT(neighbours_->route(addr("192.0.2.50"), &none, &wan)->local == addr("192.0.2.1"));
    CPPUNIT_ASSERT(hop("2001:db8:9::9", &wan).local == addr("2001:db8:1::1"));
    CPPUNIT_ASSERT(hop("fe80::9", &wan).local == link_local().addr);
    // An address that WireGuard does not listen on is not used.
    shared_->ports[0].addresses[0].listens = false;
    CPPUNIT_ASSERT(hop("192.0.2.50", &wan).local == second);
  }

  void full_transmit_ring_loses_no_buffer() {
    const uint16_t host = resolve("192.0.2.50", kHost);
    for (int i = 0; i < 200; ++i) neighbours_->send(mbuf(inner(1)), 0, host);
    CPPUNIT_ASSERT(neighbours_->counters().transmit_full > 0);
  }

  void link_local_from_mac() {
    const rte_ether_addr mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
    const auto address = ctrl::link_local_address(mac);
    CPPUNIT_ASSERT(address.addr == addr("fe80::5054:ff:fe12:3456"));
    CPPUNIT_ASSERT(address.network == prefix("fe80::/64"));
  }

 private:
  void start() {
    const dataplane::Sizes sizes{.users = 4,
                                 .peers = 4,
                                 .sessions = 16,
                                 .prefixes = 256,
                                 .adjacencies = 64,
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
      port.mtu = config_.ports[i].mtu;
      port.name = config_.ports[i].name;
      std::memcpy(&port.mac, (i == 0 ? kWan : kInet).data(), 6);
      port.addresses = config_.ports[i].addresses;
      if (i == 0) port.addresses.push_back(link_local());
    }
    prefixes_ = std::make_unique<dataplane::PrefixWriter>(shared_->prefixes, shared_->rcu);
    neighbours_ = std::make_unique<ctrl::Neighbours>(*shared_, *prefixes_, config_);
  }
  void stop() {
    neighbours_.reset();
    sent();
    prefixes_.reset();
    shared_.reset();
  }
  static ctrl::PortConfig port_config(const char* name, uint16_t mtu,
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
  static dataplane::PortAddress link_local() {
    rte_ether_addr mac;
    std::memcpy(&mac, kWan.data(), 6);
    return ctrl::link_local_address(mac);
  }

  // What comes in. ------------------------------------------------------------------------------
  rte_mbuf* mbuf(const Bytes& bytes) {
    rte_mbuf* out = rte_pktmbuf_alloc(pool_);
    CPPUNIT_ASSERT(out != nullptr);
    std::memcpy(rte_pktmbuf_append(out, static_cast<uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    out->port = 0;
    return out;
  }
  void receive(const Bytes& frame) {
    const bool is_arp = frame.size() >= 14 && frame[12] == 8 && frame[13] == 6;
    neighbours_->handle(
        dataplane::Punt{mbuf(frame), is_arp ? PuntReason::kArp : PuntReason::kNeighbour, 0, 0, 0},
        now_);
  }
  void punt(const Bytes& packet, uint16_t port, uint16_t adjacency) {
    rte_mbuf* m = mbuf(packet);
    m->port = port;
    neighbours_->handle(dataplane::Punt{m, PuntReason::kUnresolved, 0, adjacency, 0}, now_);
  }
  void reply(const char* host, const Mac& mac) {
    receive(ethernet(kWan, mac, kTypeArp, arp(kReply, mac, addr(host), addr("192.0.2.1"))));
  }
  Bytes solicitation(const char* from, const char* target) {
    IpAddr group = addr("ff02::1:ff00:0");
    std::copy_n(&addr(target).bytes[13], 3, &group.bytes[13]);
    return ethernet(kWan, kHost, kTypeIpv6, neighbour(135, addr(from), group, addr(target)));
  }
  /// With an option: the frame is built by hand around one of the builder's.
  Bytes with_option(Bytes frame, uint8_t type, const Mac& mac, uint8_t flags) {
    frame[14 + 5] = 32;
    frame[14 + 44] = flags;
    frame = frame + Bytes{type, 1} + Bytes(mac.begin(), mac.end());
    fix_icmp6(frame);
    return frame;
  }
  Bytes solicitation_with_source(const char* from, const char* target, const Mac& mac) {
    return with_option(solicitation(from, target), 1, mac, 0);
  }
  Bytes advertisement(const char* target, const Mac& mac, uint8_t flags) {
    return with_option(ethernet(kWan, mac, kTypeIpv6,
                                neighbour(136, addr(target), addr("2001:db8:1::1"), addr(target))),
                       2, mac, flags);
  }
  static void fix_icmp6(Bytes& frame) {
    auto* ip = reinterpret_cast<rte_ipv6_hdr*>(&frame[14]);
    frame[14 + 42] = frame[14 + 43] = 0;
    const uint16_t sum = rte_ipv6_udptcp_cksum(ip, ip + 1);
    std::memcpy(&frame[14 + 42], &sum, 2);
  }
  static Bytes inner(uint8_t mark) {
    return ip(addr("10.0.0.2"), addr("192.0.2.50"), kUdp, pattern(20, mark));
  }

  // What goes out. ------------------------------------------------------------------------------
  std::vector<Frame> sent() {
    std::vector<Frame> out;
    rte_mbuf* frame;
    while (shared_->mailboxes[0]->transmit.pop_burst(&frame, 1) == 1) {
      const auto* at = rte_pktmbuf_mtod(frame, const uint8_t*);
      out.push_back(parse_frame(Bytes(at, at + rte_pktmbuf_data_len(frame))));
      rte_pktmbuf_free(frame);
    }
    return out;
  }
  static Bytes with_zero_target_mac(Bytes payload) {
    std::fill_n(payload.begin() + 18, 6, 0);
    return payload;
  }
  static bool asks_for(const Frame& frame, const char* target) {
    return frame.type == kTypeArp && frame.payload[7] == kRequest &&
           IpAddr::v4(&frame.payload[24]) == addr(target);
  }
  size_t unicast_probes(const Mac& to) {
    size_t count = 0;
    for (const Frame& f : sent()) count += f.to == to && f.type == kTypeArp;
    return count;
  }
  /// The hosts answer when they are asked whether they are still there.
  void answer_probes() {
    for (const Frame& f : sent()) {
      if (f.to == kHost && asks_for(f, "192.0.2.50")) reply("192.0.2.50", kHost);
      if (f.to == kOther && asks_for(f, "192.0.2.51")) reply("192.0.2.51", kOther);
    }
  }

  void tick(uint64_t ns) {
    now_.ns += ns;
    now_.tsc += ns;
    neighbours_->tick(now_);
  }
  RouteTarget lookup(const char* to) { return shared_->prefixes.lookup(addr(to)); }
  ctrl::PacketSender::Hop hop(const char* to, const uint16_t* port) {
    const auto found = neighbours_->route(addr(to), nullptr, port);
    CPPUNIT_ASSERT(found);
    return *found;
  }
  uint16_t route(const char* to) { return hop(to, nullptr).adjacency; }
  /// The number of a neighbour that is known already.
  uint16_t number(const char* to) { return route(to); }
  uint16_t resolve(const char* host, const Mac& mac) {
    const uint16_t out = route(host);
    neighbours_->send(mbuf(inner(1)), 0, out);
    reply(host, mac);
    sent();
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of(host));
    return out;
  }
  std::string state_of(const char* host) {
    for (const auto& n : neighbours_->status()) {
      if (n.addr == addr(host)) return n.state;
    }
    return "";
  }
  static uint64_t mac_word(const Mac& mac) {
    uint64_t out = 0;
    std::memcpy(&out, mac.data(), 6);
    return out | dataplane::Adjacency::kResolved;
  }

  rte_mempool* pool_ = nullptr;
  std::unique_ptr<dataplane::Shared> shared_;
  std::unique_ptr<dataplane::PrefixWriter> prefixes_;
  std::unique_ptr<ctrl::Neighbours> neighbours_;
  ctrl::Config config_;
  std::vector<Frame> at_start_;  // what the first tick sent
  ctrl::Now now_{1000 * kSecond, 1000 * kSecond, 0};
};

CPPUNIT_TEST_SUITE_REGISTRATION(NeighboursTest);

}  // namespace wirelay::test
