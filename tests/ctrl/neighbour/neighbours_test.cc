// Protects: that next hops are found, refreshed and forgotten, and that packets wait for them, but
// neither many nor for ever.
#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_mempool.h>

#include "tests/ctrl/neighbour/fixture.h"

namespace wirelay::test {

using dataplane::RouteKind;
using dataplane::RouteTarget;

class NeighboursTest : public NeighbourFixture {
  CPPUNIT_TEST_SUITE(NeighboursTest);
  CPPUNIT_TEST(gateways_are_asked_for_at_once_and_on_and_on);
  CPPUNIT_TEST(asks_by_arp_and_sends_what_waited);
  CPPUNIT_TEST(asks_by_solicitation);
  CPPUNIT_TEST(few_packets_wait);
  CPPUNIT_TEST(silent_host_is_given_up);
  CPPUNIT_TEST(resolved_is_refreshed_and_lost_when_silent);
  CPPUNIT_TEST(idle_hosts_are_forgotten_used_ones_stay);
  CPPUNIT_TEST(held_hosts_stay);
  CPPUNIT_TEST(punted_packet_for_a_connected_host);
  CPPUNIT_TEST(punted_packet_whose_next_hop_is_another_by_now);
  CPPUNIT_TEST(what_waits_leaves_most_buffers_to_others);
  CPPUNIT_TEST(silent_gateway_is_sent_to_and_asked_for);
  CPPUNIT_TEST(silent_gateway_is_followed_to_another_address);
  CPPUNIT_TEST(full_transmit_ring_loses_no_buffer);
  CPPUNIT_TEST_SUITE_END();

 public:
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
    for (uint8_t i = 0; i < 70; ++i) neighbours_->send(mbuf(inner(i)), 0, host);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sent().size());  // asked once
    CPPUNIT_ASSERT_EQUAL(uint64_t{6}, neighbours_->counters().held_dropped);
    reply("192.0.2.50", kHost);
    const auto frames = sent();
    CPPUNIT_ASSERT_EQUAL(size_t{64}, frames.size());
    CPPUNIT_ASSERT(frames[0].payload == inner(6) && frames[63].payload == inner(69));
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
    CPPUNIT_ASSERT_MESSAGE("a worker tells its sender", refused() == std::vector<Bytes>{inner(1)});
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, neighbours_->counters().held_dropped);
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

  /// The punt names an entry's number, which is another host's when the punt is served.
  void punted_packet_whose_next_hop_is_another_by_now() {
    const uint16_t number = route("192.0.2.50");
    for (int i = 0; i < 400; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string(), state_of("192.0.2.50"));
    shared_->rcu.poll();
    CPPUNIT_ASSERT_EQUAL(number, route("192.0.2.60"));
    reply("192.0.2.60", kOther);
    const uint16_t wan = 0;
    const uint16_t gateway = hop("203.0.113.9", &wan).adjacency;
    receive(ethernet(kWan, kHost, kTypeArp,
                     arp(kReply, kHost, addr("192.0.2.254"), addr("192.0.2.1"))));
    sent();
    punt(inner(1), 0, number);                                            // to 192.0.2.50
    punt(ip(addr("10.0.0.2"), addr("192.0.2.60"), kUdp, {}), 1, number);  // of another port
    punt(inner(1), 1, gateway);
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, neighbours_->counters().no_route);
    CPPUNIT_ASSERT(sent().empty());
    punt(ip(addr("10.0.0.2"), addr("192.0.2.60"), kUdp, {}), 0, number);
    punt(inner(1), 0, gateway);  // gateways get what is for others
    CPPUNIT_ASSERT_EQUAL(size_t{2}, sent().size());
  }

  void what_waits_leaves_most_buffers_to_others() {
    const size_t most = pool_->size / 16;
    for (int i = 0; i < 30; ++i) {
      const std::string to = "192.0.2." + std::to_string(100 + i);
      for (int k = 0; k < 5; ++k) {
        punt(ip(addr("10.0.0.2"), addr(to.c_str()), kUdp, pattern(40)), 0, dataplane::kNoAdjacency);
      }
    }
    sent();
    CPPUNIT_ASSERT_EQUAL(most, size_t{rte_mempool_in_use_count(pool_)});
    CPPUNIT_ASSERT_EQUAL(uint64_t{150 - most}, neighbours_->counters().held_dropped);
    for (int i = 0; i < 10; ++i) tick(kSecond);  // nobody answers
    sent();
    CPPUNIT_ASSERT_EQUAL(most, refused().size());
    CPPUNIT_ASSERT_EQUAL(0u, rte_mempool_in_use_count(pool_));
  }

  void silent_gateway_is_sent_to_and_asked_for() {
    const uint16_t gateway = resolve_gateway();
    for (int i = 0; i < 33; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, unicast_probes(kHost));
    CPPUNIT_ASSERT_EQUAL(std::string("silent"), state_of("192.0.2.254"));
    for (int i = 0; i < 600; ++i) {
      tick(kSecond);
      size_t asked = 0;
      for (const Frame& f : sent()) asked += f.to == kBroadcast && asks_for(f, "192.0.2.254");
      CPPUNIT_ASSERT_EQUAL(size_t{1}, asked);
    }
    CPPUNIT_ASSERT_EQUAL(mac_word(kHost), shared_->adjacencies[gateway].mac_word.load());
    neighbours_->send(mbuf(inner(1)), 0, gateway);
    CPPUNIT_ASSERT(sent().at(0).to == kHost);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, neighbours_->counters().held_dropped);
    reply("192.0.2.254", kHost);
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.254"));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, neighbours_->counters().moved);
  }

  void silent_gateway_is_followed_to_another_address() {
    std::string told;
    neighbours_->watch_gateways(
        [&](const std::string&, const dataplane::IpAddr& gateway, bool answers) {
          if (to_string(gateway) != "192.0.2.254") return;  // others were never there
          told += to_string(gateway) + (answers ? " found;" : " lost;");
        });
    const uint16_t gateway = resolve_gateway();
    CPPUNIT_ASSERT_EQUAL(std::string(), told);
    for (int i = 0; i < 40; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.254 lost;"), told);
    sent();
    CPPUNIT_ASSERT_EQUAL(std::string("silent"), state_of("192.0.2.254"));
    reply("192.0.2.254", kOther);
    CPPUNIT_ASSERT_EQUAL(mac_word(kOther), shared_->adjacencies[gateway].mac_word.load());
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.254"));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, neighbours_->counters().moved);
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.254 lost;192.0.2.254 found;"), told);
  }

  void full_transmit_ring_loses_no_buffer() {
    const uint16_t host = resolve("192.0.2.50", kHost);
    for (int i = 0; i < 200; ++i) neighbours_->send(mbuf(inner(1)), 0, host);
    CPPUNIT_ASSERT(neighbours_->counters().transmit_full > 0);
  }

 private:
  uint16_t resolve_gateway() {
    const uint16_t wan = 0;
    const uint16_t out = hop("203.0.113.9", &wan).adjacency;
    reply("192.0.2.254", kHost);
    sent();
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.254"));
    return out;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NeighboursTest);

}  // namespace wirelay::test
