// Protects who is who: outer endpoints with more clients than ports, partners of the hub, families.
#include "tools/relaygen/clients.h"

#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tools/relaygen/addresses.h"
#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

/// Cheap identities: all share one key pair but the last.
std::vector<Identity> identities(uint32_t count) {
  Identity one;
  one.private_key = crypto::generate_private_key();
  one.public_key = crypto::derive_public_key(one.private_key);
  one.addresses = {dataplane::parse_ip("10.64.0.2").value(),
                   dataplane::parse_ip("fd77::2").value()};
  return std::vector<Identity>(count, one);
}

crypto::PublicKey far_key() { return crypto::derive_public_key(crypto::generate_private_key()); }

std::vector<dataplane::IpAddr> targets() {
  return {dataplane::parse_ip("192.0.2.1").value(), dataplane::parse_ip("2001:db8::1").value()};
}

Clients make(uint32_t count, const char* outer, Family family) {
  return {identities(count), far_key(), dataplane::parse_prefix(outer).value(), family, targets()};
}

class ClientsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClientsTest);
  CPPUNIT_TEST(outer_endpoints_are_distinct);
  CPPUNIT_TEST(initiations_find_their_client);
  CPPUNIT_TEST(receiver_indices_tell_client_and_run);
  CPPUNIT_TEST(partners_are_others_and_cover_all);
  CPPUNIT_TEST(flows_are_of_one_family);
  CPPUNIT_TEST(missing_families_are_refused);
  CPPUNIT_TEST(addresses_count_over_bytes);
  CPPUNIT_TEST_SUITE_END();

  void outer_endpoints_are_distinct() {
    Clients clients = make(500, "198.51.100.0/26", Family::k4);
    std::set<dataplane::Endpoint> endpoints;
    for (uint32_t i = 0; i < clients.size(); ++i) endpoints.insert(clients[i].outer);
    CPPUNIT_ASSERT_EQUAL(size_t{500}, endpoints.size());
  }

  void initiations_find_their_client() {
    Clients clients = make(130, "198.51.100.0/26", Family::k4);
    crypto::MessageInitiation message{};
    const std::span bytes(reinterpret_cast<uint8_t*>(&message), sizeof message);
    for (const uint32_t client : {0u, 63u, 64u, 129u}) {
      crypto::MacWriter(clients[client].identity.public_key).write(bytes, 0);
      CPPUNIT_ASSERT(clients.addressed(clients[client].outer, bytes) == client);
    }
    CPPUNIT_ASSERT(!clients.addressed(dataplane::parse_endpoint("198.51.100.9:1").value(), bytes));
    CPPUNIT_ASSERT(!clients.addressed(dataplane::parse_endpoint("10.0.0.1:2000").value(), bytes));
    message.macs.mac1[0] ^= 1;
    CPPUNIT_ASSERT(!clients.addressed(clients[0].outer, bytes));
  }

  /// A far end goes on sending to the sessions of an earlier run, whose keys are gone.
  void receiver_indices_tell_client_and_run() {
    Clients earlier = make(200, "198.51.100.2", Family::k4);
    Clients later = make(200, "198.51.100.2", Family::k4);
    std::set<uint32_t> seen;
    for (Clients* clients : {&earlier, &later}) {
      for (uint32_t client = 0; client < 200; ++client) {
        for (int session = 0; session < 3; ++session) {
          const uint32_t index = clients->new_index(client);
          CPPUNIT_ASSERT_EQUAL(client, clients->client_of(index));
          CPPUNIT_ASSERT(seen.insert(index).second);
        }
      }
    }
  }

  void partners_are_others_and_cover_all() {
    Clients clients = make(9, "198.51.100.2", Family::k4);
    for (const uint32_t used : {2u, 3u, 8u, 9u}) {
      clients.use(used);
      std::set<uint32_t> partners;
      for (uint32_t flow = 0; flow < used; ++flow) {
        CPPUNIT_ASSERT(clients.receiver(Mode::kHub, flow) != flow);
        partners.insert(clients.receiver(Mode::kHub, flow));
      }
      CPPUNIT_ASSERT_EQUAL(size_t{used}, partners.size());
      CPPUNIT_ASSERT_EQUAL(used - 1, *partners.rbegin());
    }
  }

  void flows_are_of_one_family() {
    Clients clients = make(5, "198.51.100.2", Family::kBoth);
    for (const Mode mode : {Mode::kUp, Mode::kDown, Mode::kHub}) {
      for (uint32_t flow = 0; flow < 5; ++flow) {
        const FlowEnds ends = clients.ends(mode, flow);
        CPPUNIT_ASSERT_EQUAL(flow % 2 == 0, ends.source.is_v4());
        CPPUNIT_ASSERT_EQUAL(ends.source.is_v4(), ends.destination.is_v4());
      }
    }
  }

  void missing_families_are_refused() {
    auto some = identities(2);
    some[1].addresses.pop_back();
    const auto outer = dataplane::parse_prefix("198.51.100.2").value();
    const auto check = [&](Family family) {
      Clients(some, far_key(), outer, family, targets()).check_family();
    };
    CPPUNIT_ASSERT_THROW(check(Family::k6), UsageError);
    CPPUNIT_ASSERT_THROW(check(Family::kBoth), UsageError);
    check(Family::k4);
  }

  void addresses_count_over_bytes() {
    const auto first = dataplane::parse_ip("10.255.255.250").value();
    CPPUNIT_ASSERT_EQUAL(std::string("11.0.0.2"), dataplane::to_string(plus(first, 8)));
    CPPUNIT_ASSERT_EQUAL(8u, offset_of(plus(first, 8), first));
    CPPUNIT_ASSERT_EQUAL(256u, host_count(dataplane::parse_prefix("10.0.0.0/24").value()));
    CPPUNIT_ASSERT_EQUAL(1u, host_count(dataplane::parse_prefix("10.0.0.1").value()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClientsTest);

}  // namespace

}  // namespace wirelay::relaygen
