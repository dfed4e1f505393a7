// Protects that networks learn of the relay's addresses without asking, and that switches which
// watch multicast pass solicitations on to it.
#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_ip.h>

#include "ctrl/neighbour/mld.h"
#include "tests/ctrl/neighbour/fixture.h"

namespace wirelay::test {

using dataplane::IpAddr;

class AnnouncementsTest : public NeighbourFixture {
  CPPUNIT_TEST_SUITE(AnnouncementsTest);
  CPPUNIT_TEST(each_address_is_announced_twice);
  CPPUNIT_TEST(addresses_that_users_go_out_with);
  CPPUNIT_TEST(groups_are_reported_with_a_router_alert);
  CPPUNIT_TEST(a_port_without_ipv6_reports_nothing);
  CPPUNIT_TEST(a_query_is_answered_once_and_in_time);
  CPPUNIT_TEST(queries_of_odd_forms);
  CPPUNIT_TEST_SUITE_END();

 public:
  void each_address_is_announced_twice() {
    neighbours_->announce(0, now_);
    for (int round = 0; round < 2; ++round) {
      tick(round == 0 ? 0 : 2 * kSecond - 1);
      if (round == 1) {
        CPPUNIT_ASSERT(announcements().empty());
        tick(1);
      }
      const auto frames = announcements();
      CPPUNIT_ASSERT_EQUAL(size_t{4}, frames.size());  // two of IPv4, one of IPv6, link-local
      for (size_t i = 0; i < 2; ++i) {
        const char* const ours = i == 0 ? "192.0.2.1" : "192.0.2.3";
        CPPUNIT_ASSERT(frames[i].to == kBroadcast);
        CPPUNIT_ASSERT(frames[i].payload == arp(kRequest, kWan, addr(ours), addr(ours)));
      }
      const IpAddr v6[] = {addr("2001:db8:1::1"), link_local().addr};
      for (size_t i = 0; i < 2; ++i) {
        CPPUNIT_ASSERT(frames[2 + i].to == kAllNodes);
        const Parsed nd = parse_ip_packet(frames[2 + i].payload);
        CPPUNIT_ASSERT(nd.valid && nd.ttl == 255 && nd.from == v6[i] && nd.to == addr("ff02::1"));
        CPPUNIT_ASSERT_EQUAL(136, int{nd.payload[0]});
        CPPUNIT_ASSERT_EQUAL(0xa0, int{nd.payload[4]});  // router, override; not solicited
        CPPUNIT_ASSERT(IpAddr::v6(&nd.payload[8]) == v6[i]);
      }
    }
    for (int i = 0; i < 5; ++i) tick(kSecond);
    CPPUNIT_ASSERT(announcements().empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, neighbours_->counters().announced);
  }

  /// Of the port's network they are announced and asked for; those elsewhere are routed to us.
  /// Another host that has one is told of.
  void addresses_that_users_go_out_with() {
    shared_->ports[0].pools = {prefix("192.0.2.64/30"), prefix("203.0.113.0/30")};
    neighbours_->announce(0, now_);
    tick(0);
    const auto frames = announcements();
    CPPUNIT_ASSERT_EQUAL(size_t{8}, frames.size());
    CPPUNIT_ASSERT(frames[7].payload ==
                   arp(kRequest, kWan, addr("192.0.2.67"), addr("192.0.2.67")));
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.50"), addr("192.0.2.65"))));
    const auto answers = sent();
    CPPUNIT_ASSERT(std::ranges::any_of(answers, [](const Frame& frame) {
      return frame.to == kHost && frame.payload[7] == kReply;
    }));
    receive(ethernet(kBroadcast, kHost, kTypeArp,
                     arp(kRequest, kHost, addr("192.0.2.65"), addr("192.0.2.65"))));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, neighbours_->counters().conflicts);
  }

  void groups_are_reported_with_a_router_alert() {
    neighbours_->announce(0, now_);
    tick(0);
    const auto frames = reports();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    check_report(frames[0], 4);  // changes to excluding no source: it joins
  }

  void a_port_without_ipv6_reports_nothing() {
    neighbours_->announce(1, now_);
    tick(0);
    const auto frames = all();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, frames.size());
    CPPUNIT_ASSERT(frames[0].type == kTypeArp && frames[0].from == kInet);
  }

  void a_query_is_answered_once_and_in_time() {
    for (int i = 0; i < 100; ++i) receive(listener_query(addr("fe80::9"), 1000));
    size_t answers = 0;
    for (int i = 0; i < 101; ++i) {
      tick(kSecond / 100);
      for (const Frame& frame : reports()) {
        ++answers;
        check_report(frame, 2);  // excludes no source: it listens
      }
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, answers);
    // The next one is answered again.
    receive(listener_query(addr("fe80::9"), 0));
    tick(1);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, reports().size());
  }

  void queries_of_odd_forms() {
    const auto delay = [&](const Bytes& frame) {
      rte_mbuf* m = mbuf(frame);
      const auto found = ctrl::parse_listener_query(m);
      rte_pktmbuf_free(m);
      return found;
    };
    const Bytes query = listener_query(addr("fe80::9"), 1000);
    CPPUNIT_ASSERT(delay(query) == 1000u);
    CPPUNIT_ASSERT(delay(listener_query(addr("fe80::9"), 0x8000)) == 0x1000u << 3);
    CPPUNIT_ASSERT(delay(listener_query(addr("fe80::9"), 0xffff)) == 0x1fffu << 10);
    CPPUNIT_ASSERT(!delay(Bytes(query.begin(), query.end() - 5)));
    CPPUNIT_ASSERT(!delay(solicitation("fe80::9", "2001:db8:1::1")));
    Bytes report = query;
    report[14 + 48] = 143;
    CPPUNIT_ASSERT(!delay(report));
  }

 private:
  /// What was sent, but for questions to neighbours.
  std::vector<Frame> all() {
    auto frames = sent();
    std::erase_if(frames, [](const Frame& f) {
      if (f.type == kTypeArp) return !std::equal(&f.payload[14], &f.payload[18], &f.payload[24]);
      return f.payload[6] == kIcmp6 && f.payload[40] == 135;
    });
    return frames;
  }
  static bool is_report(const Frame& f) { return f.type == kTypeIpv6 && f.payload[6] == 0; }
  std::vector<Frame> announcements() {
    auto frames = all();
    std::erase_if(frames, is_report);
    return frames;
  }
  std::vector<Frame> reports() {
    auto frames = all();
    std::erase_if(frames, [](const Frame& f) { return !is_report(f); });
    return frames;
  }

  static void check_report(const Frame& frame, uint8_t record) {
    CPPUNIT_ASSERT((frame.to == Mac{0x33, 0x33, 0, 0, 0, 0x16}));
    Bytes ip = frame.payload;
    // The group of both addresses, which end alike.
    CPPUNIT_ASSERT_EQUAL(size_t{40 + 8 + 8 + 20}, ip.size());
    CPPUNIT_ASSERT_EQUAL(1, int{ip[7]});  // hop limit
    CPPUNIT_ASSERT(IpAddr::v6(&ip[8]) == link_local().addr &&
                   IpAddr::v6(&ip[24]) == addr("ff02::16"));
    const Bytes alert = {kIcmp6, 0, 5, 2, 0, 0, 1, 0};
    CPPUNIT_ASSERT(std::equal(alert.begin(), alert.end(), ip.begin() + 40));
    const uint8_t* const report = &ip[48];
    CPPUNIT_ASSERT(report[0] == 143 && report[7] == 1 && report[8] == record);
    CPPUNIT_ASSERT(IpAddr::v6(&report[12]) == addr("ff02::1:ff00:1"));
    // Its checksum, without the header in front of it.
    ip.erase(ip.begin() + 40, ip.begin() + 48);
    ip[5] = static_cast<uint8_t>(ip[5] - 8);
    ip[6] = kIcmp6;
    CPPUNIT_ASSERT_EQUAL(
        uint16_t{0},
        rte_ipv6_udptcp_cksum(reinterpret_cast<const rte_ipv6_hdr*>(ip.data()), &ip[40]));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AnnouncementsTest);

}  // namespace wirelay::test
