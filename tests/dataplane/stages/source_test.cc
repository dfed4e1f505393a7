// Protects: cryptokey routing. A peer's packets carry sources of its allowed IPs and no others,
// whether these stand in its own record or in the prefix table.
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

using namespace wirelay::test;

class SourceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SourceTest);
  CPPUNIT_TEST(prefixes_of_any_length_hold_at_their_edges);
  CPPUNIT_TEST(many_allowed_ips_are_asked_of_the_table);
  CPPUNIT_TEST(a_more_specific_prefix_belongs_to_its_peer_alone);
  CPPUNIT_TEST(padding_is_trimmed);
  CPPUNIT_TEST_SUITE_END();

 public:
  void prefixes_of_any_length_hold_at_their_edges() {
    allow({"10.1.2.3/32"}, {"10.1.2.3"}, {"10.1.2.2", "10.1.2.4", "fd00::3"});
    allow({"10.1.2.0/25"}, {"10.1.2.0", "10.1.2.127"}, {"10.1.2.128", "10.1.1.255"});
    allow({"0.0.0.0/0"}, {"10.1.2.0", "223.255.255.254"}, {"fd00::3"});
    allow({"fd01::7/128"}, {"fd01::7"}, {"fd01::6", "fd01::8", "fd01:0:0:0:8000::7"});
    allow({"fd01::/64"}, {"fd01::", "fd01::ffff:ffff:ffff:ffff"},
          {"fd01:0:0:1::", "fd00:ffff:ffff:ffff::"});
    allow({"fd01:0:0:0:8000::/65"}, {"fd01::8000:0:0:0"}, {"fd01::7fff:ffff:ffff:ffff"});
    allow({"fd01:8000::/17"}, {"fd01:8000::1", "fd01:ffff::"}, {"fd01:7fff::", "fd02:8000::"});
    allow({"::/0"}, {"fd01:8000::1", "2001:db8::"}, {"10.0.0.9"});
  }

  void many_allowed_ips_are_asked_of_the_table() {
    allow({"10.1.0.0/16", "10.3.0.0/16", "10.5.0.7/32", "fd01::/64", "fd03::/64"},
          {"10.1.9.9", "10.3.9.9", "10.5.0.7", "fd01::9", "fd03::9"},
          {"10.2.9.9", "10.5.0.6", "fd02::9"});
  }

  void a_more_specific_prefix_belongs_to_its_peer_alone() {
    DataPath d;
    Client net = d.add_client(), other = d.add_client();
    const Prefix wide[] = {prefix("10.8.0.0/15")};  // both
    CPPUNIT_ASSERT(d.peers->set_allowed(net.peer, wide));
    const Prefix elsewhere[] = {prefix("10.9.0.1/32")};
    CPPUNIT_ASSERT(d.peers->set_allowed(other.peer, elsewhere));
    for (int round = 0; round < 2; ++round) {
      CPPUNIT_ASSERT(passes(d, net, "10.8.0.1") && passes(d, net, "10.9.0.2"));
      CPPUNIT_ASSERT(!passes(d, net, "10.9.0.1"));
      CPPUNIT_ASSERT(!passes(d, other, "10.8.0.1"));
      CPPUNIT_ASSERT(passes(d, other, "10.9.0.1"));
      d.shared->rcu.poll();  // from now on the peer's own record is asked first
    }
  }

  void padding_is_trimmed() {
    DataPath d;
    Client c = d.add_client();
    for (size_t pad = 0; pad < 40; ++pad) {
      const Bytes packet = udp({c.inner6, 1}, {addr("2001:db8:99::9"), 2}, pattern(30));
      d.feed(0, d.tunnelled(c, packet + Bytes(pad)));
      d.poll();
      const auto out = d.sent(1);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
      CPPUNIT_ASSERT_EQUAL(14 + packet.size(), out[0].size());
    }
  }

 private:
  static void allow(const std::vector<const char*>& allowed, const std::vector<const char*>& in,
                    const std::vector<const char*>& out) {
    DataPath d;
    Client c = d.add_client();
    // The default routes make room for a peer that may send as anybody: one prefix, one place.
    for (const char* text : {"0.0.0.0/0", "::/0"}) d.prefixes->remove(prefix(text));
    for (const char* text : {"203.0.113.0/24", "2001:db8:99::/48"}) {
      d.prefixes->set(prefix(text), RouteTarget::make(RouteKind::kVia, DataPath::kGateway));
    }
    std::vector<Prefix> prefixes;
    for (const char* text : allowed) prefixes.push_back(prefix(text));
    CPPUNIT_ASSERT(d.peers->set_allowed(c.peer, prefixes));
    d.shared->rcu.poll();  // from now on the peer's own record is asked
    for (const char* text : in) CPPUNIT_ASSERT_MESSAGE(text, passes(d, c, text));
    for (const char* text : out) CPPUNIT_ASSERT_MESSAGE(text, !passes(d, c, text));
    CPPUNIT_ASSERT_EQUAL(uint64_t{out.size()}, d.drops(Drop::kSourceNotAllowed));
  }

  /// Whether a packet with this source is forwarded.
  static bool passes(DataPath& d, Client& c, const char* source) {
    const IpAddr from = addr(source);
    const uint64_t before = d.drops(Drop::kSourceNotAllowed);
    d.feed(0, d.tunnelled(c, udp({from, 1},
                                 {addr(from.is_v4() ? "203.0.113.9" : "2001:db8:99::9"), 2}, {})));
    d.poll();
    const size_t out = d.sent(1).size() + d.sent(0).size();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), uint64_t{1},
                                 d.drops(Drop::kSourceNotAllowed) - before + out);
    return out == 1;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SourceTest);

}  // namespace wirelay::dataplane
