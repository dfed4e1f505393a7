// Protects: that ARP and neighbour discovery are answered for what is ours, as their RFCs ask, and
// that hostile messages gain nothing.
#include <algorithm>
#include <utility>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/neighbour/fixture.h"

namespace wirelay::test {

using dataplane::IpAddr;

class NeighbourMessagesTest : public NeighbourFixture {
  CPPUNIT_TEST_SUITE(NeighbourMessagesTest);
  CPPUNIT_TEST(answers_arp);
  CPPUNIT_TEST(answers_solicitations);
  CPPUNIT_TEST(answers_address_probes);
  CPPUNIT_TEST(strangers_are_not_learned);
  CPPUNIT_TEST(who_asks_us_is_learned);
  CPPUNIT_TEST(askers_do_not_crowd_out_others);
  CPPUNIT_TEST(moved_neighbour_is_followed);
  CPPUNIT_TEST(nobody_else_is_at_our_own_address);
  CPPUNIT_TEST(nobody_is_at_a_group_or_at_no_address);
  CPPUNIT_TEST(advertisement_without_override_moves_nothing);
  CPPUNIT_TEST(malformed_messages_are_refused);
  CPPUNIT_TEST(link_local_from_mac);
  CPPUNIT_TEST_SUITE_END();

 public:
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
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, neighbours_->counters().conflicts);
  }

  void who_asks_us_is_learned() {
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.50"), addr("192.0.2.1"))));
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
  }

  void askers_do_not_crowd_out_others() {
    resolve("192.0.2.40", kOther);
    for (int i = 0; i < 200; ++i) {
      const std::string from = "192.0.2." + std::to_string(50 + i);
      receive(ethernet(kBroadcast, kHost, kTypeArp,
                       arp(kRequest, kHost, addr(from.c_str()), addr("192.0.2.1"))));
      sent();
      shared_->rcu.poll();
    }
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.40"));
    resolve("192.0.2.41", kOther);
    // Nobody sends to them: they are forgotten at their first refresh.
    for (int i = 0; i < 35; ++i) tick(kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string(), state_of("192.0.2.249"));
  }

  void moved_neighbour_is_followed() {
    const uint16_t host = resolve("192.0.2.50", kHost);
    receive(ethernet(kBroadcast, kOther, kTypeArp,  // gratuitous: an address taken over
                     arp(kRequest, kOther, addr("192.0.2.50"), addr("192.0.2.50"))));
    CPPUNIT_ASSERT_EQUAL(mac_word(kOther), shared_->adjacencies[host].mac_word.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, neighbours_->counters().moved);
  }

  /// Else whoever says so would have us send to ourselves what is for the gateway.
  void nobody_else_is_at_our_own_address() {
    const uint16_t wan = 0;
    const uint16_t gateway = hop("203.0.113.9", &wan).adjacency;
    const uint16_t gateway6 = hop("2001:db8:9::9", &wan).adjacency;
    uint64_t lies = 0;
    for (const uint64_t known : {uint64_t{0}, mac_word(kHost)}) {
      for (const Mac& mac : {kWan, kInet}) {  // also the other port's
        reply("192.0.2.254", mac);
        receive(ethernet(kBroadcast, mac, kTypeArp,
                         arp(kRequest, mac, addr("192.0.2.254"), addr("192.0.2.254"))));
        receive(ethernet(kWan, kOther, kTypeArp,  // in another host's frame
                         arp(kRequest, mac, addr("192.0.2.254"), addr("192.0.2.1"))));
        receive(advertisement("2001:db8:1::fe", mac, 0x60));
        receive(solicitation_with_source("2001:db8:1::fe", "2001:db8:1::1", mac));
        CPPUNIT_ASSERT_EQUAL(lies += 5, neighbours_->counters().conflicts);
      }
      CPPUNIT_ASSERT_EQUAL(known, shared_->adjacencies[gateway].mac_word.load());
      CPPUNIT_ASSERT_EQUAL(known, shared_->adjacencies[gateway6].mac_word.load());
      CPPUNIT_ASSERT(sent().empty());
      reply("192.0.2.254", kHost);
      receive(advertisement("2001:db8:1::fe", kHost, 0x60));
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, neighbours_->counters().moved);
  }

  void nobody_is_at_a_group_or_at_no_address() {
    const uint16_t wan = 0;
    const uint16_t gateway = hop("203.0.113.9", &wan).adjacency;
    uint64_t refused = 0;
    for (const Mac& mac :
         {kBroadcast, Mac{}, Mac{1, 0, 0x5e, 0, 0, 1}, Mac{0x33, 0x33, 0, 0, 0, 1}}) {
      reply("192.0.2.254", mac);
      receive(advertisement("2001:db8:1::fe", mac, 0x60));
      CPPUNIT_ASSERT_EQUAL(refused += 2, neighbours_->counters().malformed);
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, shared_->adjacencies[gateway].mac_word.load());
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

  void link_local_from_mac() {
    const rte_ether_addr mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
    const auto address = ctrl::link_local_address(mac);
    CPPUNIT_ASSERT(address.addr == addr("fe80::5054:ff:fe12:3456"));
    CPPUNIT_ASSERT(address.network == prefix("fe80::/64"));
  }

 private:
  static Bytes with_zero_target_mac(Bytes payload) {
    std::fill_n(payload.begin() + 18, 6, 0);
    return payload;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NeighbourMessagesTest);

}  // namespace wirelay::test
