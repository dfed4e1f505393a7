// Protects storms: what is offered is what was asked for, and each kind is what it says:
// initiations that a far end would take, in the order of their time; such that only look so;
// messages to nobody.
#include "tools/relaygen/storm.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/tools/relaygen/traffic_setup.h"
#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

using Kind = StormOptions::Kind;

class StormTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StormTest);
  CPPUNIT_TEST(known_and_unknown_senders_are_mixed);
  CPPUNIT_TEST(initiations_of_a_client_come_in_the_order_of_their_time);
  CPPUNIT_TEST(without_senders_all_are_unknown);
  CPPUNIT_TEST(spoofed_ones_pass_the_first_look_only);
  CPPUNIT_TEST(cookie_replies_are_for_nobody);
  CPPUNIT_TEST(what_is_offered_waits_for_no_answer);
  CPPUNIT_TEST_SUITE_END();

  /// A storm from clients 2 and 3, of so many messages in a second.
  struct Raised {
    Raised(Kind kind, double offer, double unknown, std::vector<uint32_t> senders = {2, 3})
        : storm({.kind = kind, .offer = offer, .unknown = unknown}, 1, setup.clients,
                setup.far.public_key(), senders, setup.side, packets(), setup.progress) {}

    /// Sends each message once.
    std::vector<Bytes> messages() {
      storm.begin();
      while (storm.result().sent < storm.result().made) storm.step();
      std::vector<Bytes> all;
      for (rte_mbuf* packet : setup.far.tunnel.take()) {
        const auto* bytes = rte_pktmbuf_mtod(packet, const uint8_t*);
        const auto udp = read_udp({bytes + kEthernetBytes, packet->data_len - kEthernetBytes});
        CPPUNIT_ASSERT(udp && checksums_right(*udp) && udp->to == setup.remote);
        all.emplace_back(udp->payload, udp->payload + udp->payload_bytes);
        rte_pktmbuf_free(packet);
      }
      CPPUNIT_ASSERT_EQUAL(storm.result().sent, uint64_t{all.size()});
      return all;
    }

    Setup setup;
    Storm storm;
  };

  void known_and_unknown_senders_are_mixed() {
    Raised s(Kind::kInitiations, 40, 0.25);
    s.storm.begin();
    while (s.storm.result().sent < 40) s.storm.step();
    s.setup.far.step();  // which says whether mac1 is right
    CPPUNIT_ASSERT_EQUAL(40u, s.setup.far.initiations);
    CPPUNIT_ASSERT_EQUAL(10u, s.setup.far.forged);
  }

  /// Though they were made within the same steps of a timestamp, 16.8 ms each.
  void initiations_of_a_client_come_in_the_order_of_their_time() {
    Raised s(Kind::kInitiations, 40, 0);
    std::map<crypto::PublicKey, crypto::Timestamp> last;
    for (const Bytes& bytes : s.messages()) {
      crypto::MessageInitiation message;
      CPPUNIT_ASSERT_EQUAL(sizeof message, bytes.size());
      std::memcpy(&message, bytes.data(), sizeof message);
      auto opened = crypto::open_initiation(s.setup.far.identity(), message);
      CPPUNIT_ASSERT(opened.has_value());
      const auto known =
          std::ranges::find(s.setup.peers, opened->claimed_static, &Identity::public_key);
      CPPUNIT_ASSERT(known != s.setup.peers.end());
      const auto remote =
          crypto::make_remote(s.setup.far.identity(), known->public_key, known->preshared_key);
      const auto timestamp = crypto::authenticate_initiation(*opened, remote.value(), message);
      CPPUNIT_ASSERT(timestamp && *timestamp > last[known->public_key]);
      last[known->public_key] = *timestamp;
    }
    CPPUNIT_ASSERT_EQUAL(size_t{2}, last.size());
  }

  void without_senders_all_are_unknown() {
    Raised s(Kind::kInitiations, 10, 1, {});
    s.storm.begin();
    while (s.storm.result().sent < 10) s.storm.step();
    s.setup.far.step();
    CPPUNIT_ASSERT_EQUAL(10u, s.setup.far.forged);
    CPPUNIT_ASSERT_THROW(Raised(Kind::kInitiations, 10, 0.5, {}), UsageError);
  }

  void spoofed_ones_pass_the_first_look_only() {
    Raised s(Kind::kSpoofed, 1e6, 0);
    s.storm.begin();
    while (s.storm.result().sent < 500) s.storm.step();
    s.setup.far.step();
    CPPUNIT_ASSERT(s.setup.far.initiations >= 500);
    CPPUNIT_ASSERT_EQUAL(s.setup.far.initiations, s.setup.far.forged);
  }

  void cookie_replies_are_for_nobody() {
    Raised s(Kind::kCookieReplies, 1e6, 0);
    s.storm.begin();
    while (s.storm.result().sent < 500) s.storm.step();
    for (rte_mbuf* packet : s.setup.far.tunnel.take()) {
      const auto* message =
          rte_pktmbuf_mtod_offset(packet, const uint8_t*, udp_payload_offset(true));
      CPPUNIT_ASSERT_EQUAL(3u, crypto::load_le32(message));
      CPPUNIT_ASSERT_EQUAL(udp_payload_offset(true) + 64u, uint32_t{packet->data_len});
      rte_pktmbuf_free(packet);
    }
  }

  /// Nobody answers, and a full port loses what is due, as a wire would.
  void what_is_offered_waits_for_no_answer() {
    constexpr uint64_t kMoreThanTheRingHolds = 10'000;
    Raised s(Kind::kCookieReplies, 1e6, 0);
    s.storm.begin();
    uint64_t offered = 0;
    while (offered < kMoreThanTheRingHolds) {
      s.storm.step();
      offered = s.storm.result().sent + s.storm.result().refused;
    }
    CPPUNIT_ASSERT(s.storm.result().refused > 0);
    for (rte_mbuf* packet : s.setup.far.tunnel.take()) rte_pktmbuf_free(packet);
    const uint64_t before = s.storm.result().sent;
    while (s.storm.result().sent == before) s.storm.step();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StormTest);

}  // namespace

}  // namespace wirelay::relaygen
