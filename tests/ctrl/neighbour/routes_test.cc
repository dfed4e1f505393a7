// Protects: what the prefix table holds beside the peers, and by which port and from which address
// the outer path to a peer leads.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/neighbour/fixture.h"

namespace wirelay::test {

using dataplane::IpAddr;
using dataplane::RouteKind;
using dataplane::RouteTarget;

class NeighbourRoutesTest : public NeighbourFixture {
  CPPUNIT_TEST_SUITE(NeighbourRoutesTest);
  CPPUNIT_TEST(prefix_table_holds_what_is_ours);
  CPPUNIT_TEST(host_route_yields_to_a_peer);
  CPPUNIT_TEST(routes_of_outer_paths);
  CPPUNIT_TEST(local_address_of_outer_paths);
  CPPUNIT_TEST_SUITE_END();

 public:
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
                   RouteTarget::make(RouteKind::kVia, route("198.51.100.254")));
    CPPUNIT_ASSERT(lookup("2001:db8:ffff::1").kind() == RouteKind::kNone);
    CPPUNIT_ASSERT(lookup("10.9.1.1") == RouteTarget::make(RouteKind::kVia, route("192.0.2.9")));
    CPPUNIT_ASSERT(lookup("fe80::1").kind() == RouteKind::kNone);
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

  void routes_of_outer_paths() {
    const uint16_t wan = 0, inet = 1;
    CPPUNIT_ASSERT_EQUAL(route("192.0.2.254"), hop("8.8.8.8", &wan).adjacency);
    CPPUNIT_ASSERT_EQUAL(route("198.51.100.254"), hop("8.8.8.8", &inet).adjacency);
    // Not heard of yet: by a port that is not the egress.
    CPPUNIT_ASSERT_EQUAL(route("192.0.2.254"), hop("8.8.8.8", nullptr).adjacency);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1}, hop("198.51.100.7", nullptr).port);
    CPPUNIT_ASSERT_EQUAL(route("2001:db8:1::fe"), hop("2001:db8:9::9", &wan).adjacency);
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
};

CPPUNIT_TEST_SUITE_REGISTRATION(NeighbourRoutesTest);

}  // namespace wirelay::test
