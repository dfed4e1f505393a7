// Protects initiations that come together, which are computed together: each is answered, or
// refused and counted, as if it had come alone, whoever else is among them.
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/protocol/kept_peer.h"
#include "tests/ctrl/protocol/lab_test.h"
#include "tests/ctrl/protocol/late_answerer.h"

namespace wirelay::test {

using crypto::MessageType;

class BurstsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BurstsTest);
  CPPUNIT_TEST(all_of_a_burst_get_sessions);
  CPPUNIT_TEST(all_of_a_burst_get_sessions_by_answers_that_come_later);
  CPPUNIT_TEST(one_of_a_peers_two_is_answered);
  CPPUNIT_TEST(a_false_claim_does_not_hinder_the_true_peer);
  CPPUNIT_TEST(bad_ones_among_good_ones);
  CPPUNIT_TEST(as_many_at_once_as_take_a_millisecond);
  CPPUNIT_TEST_SUITE_END();

  static constexpr uint32_t kPeers = 21;

  /// Side b with many peers.
  void make(ctrl::Answerer* answerer = nullptr) {
    dataplane::Sizes sizes;
    sizes.users = 1;
    sizes.peers = 32;
    sizes.sessions = 256;
    sizes.prefixes = 64;
    lab_ = std::make_unique<Lab>(sizes, 1000, answerer);
    for (uint32_t i = 0; i < kPeers; ++i) {
      clients_.push_back(std::make_unique<KeptPeer>(b().identity.public_key, i + 1));
      ctrl::PeerSpec spec;
      spec.name = "peer" + std::to_string(i);
      spec.public_key = clients_.back()->public_key();
      b().add_peer(spec, ("10.1.0." + std::to_string(i + 1)).c_str());
    }
  }
  Side& b() { return *lab_->b; }

  static dataplane::Endpoint place_of(uint32_t client) {
    return {*dataplane::parse_ip("198.51.100." + std::to_string(client + 1)), 5000};
  }
  Side::Heard initiation_of(uint32_t client) {
    return {clients_[client]->begin(), place_of(client)};
  }

  /// Takes what b has sent to the clients; returns those whose sessions it made.
  std::set<uint32_t> deliver() {
    std::set<uint32_t> made;
    for (rte_mbuf* packet : b().outbox) {
      const Message message = message_of(packet);
      rte_pktmbuf_free(packet);
      CPPUNIT_ASSERT(message.type == MessageType::kResponse);
      const uint32_t client = (crypto::load_le32(&message.bytes[8]) >> 24) - 1;
      if (clients_.at(client)->take(message.bytes)) made.insert(client);
    }
    b().outbox.clear();
    return made;
  }

  std::unique_ptr<Lab> lab_;
  std::vector<std::unique_ptr<KeptPeer>> clients_;

 public:
  void tearDown() override {
    CPPUNIT_ASSERT_EQUAL(0u, lab_->close());
    lab_.reset();
    clients_.clear();
  }

  void all_of_a_burst_get_sessions() {
    make();
    std::vector<Side::Heard> burst;
    for (uint32_t i = 0; i < kPeers; ++i) burst.push_back(initiation_of(i));
    b().hear_together(burst);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, b().counters().responses_sent);
    CPPUNIT_ASSERT_EQUAL(size_t{kPeers}, deliver().size());
  }

  void all_of_a_burst_get_sessions_by_answers_that_come_later() {
    LateAnswerer answerer;
    make(&answerer);
    answerer.most = kPeers - 2;
    std::vector<Side::Heard> burst;
    for (uint32_t i = 0; i < kPeers; ++i) burst.push_back(initiation_of(i));
    b().hear_together(burst);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, b().counters().responses_sent);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, b().counters().refused_under_load);
    answerer.compute();
    CPPUNIT_ASSERT_EQUAL(kPeers - 2, b().protocol->finish_answers(100, lab_->now));
    CPPUNIT_ASSERT_EQUAL(size_t{kPeers - 2}, deliver().size());
  }

  void one_of_a_peers_two_is_answered() {
    make();
    const Side::Heard first = initiation_of(3), second = initiation_of(3);
    b().hear_together({first, initiation_of(4), second});
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, b().counters().responses_sent);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_too_soon);
    CPPUNIT_ASSERT_EQUAL(2u, b().sessions.in_use());
    CPPUNIT_ASSERT(deliver() == std::set<uint32_t>{4});  // 3 has forgotten its first one
  }

  /// Whoever knows a peer's key can name it; what it may not have is the peer's turn.
  void a_false_claim_does_not_hinder_the_true_peer() {
    make();
    crypto::Identity liar = crypto::make_identity(crypto::generate_private_key());
    const auto remote = crypto::make_remote(liar, b().identity.public_key, {}).value();
    liar.public_key = clients_[7]->public_key();
    crypto::MessageInitiation message{};
    crypto::HandshakeState state;
    CPPUNIT_ASSERT(crypto::create_initiation(liar, remote, 1, crypto::make_timestamp(kSecond),
                                             message, state));
    const auto* bytes = reinterpret_cast<const uint8_t*>(&message);
    b().hear_together({{Bytes(bytes, bytes + sizeof message), place_of(30)}, initiation_of(7)});
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_bad_message);
    CPPUNIT_ASSERT(deliver() == std::set<uint32_t>{7});
  }

  void bad_ones_among_good_ones() {
    make();
    KeptPeer stranger(b().identity.public_key, 100);
    Side::Heard forged = initiation_of(2);
    forged.message[60] ^= 1;
    Side::Heard no_handshake = initiation_of(5);
    no_handshake.message[0] = 9;
    b().hear_together({initiation_of(0),
                       forged,
                       {stranger.begin(), place_of(40)},
                       initiation_of(1),
                       no_handshake,
                       initiation_of(6)});
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, b().counters().refused_bad_message);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_unknown_peer);
    CPPUNIT_ASSERT((deliver() == std::set<uint32_t>{0, 1, 6}));
  }

  void as_many_at_once_as_take_a_millisecond() {
    make();
    CPPUNIT_ASSERT_EQUAL(16u, b().protocol->handshakes_at_once());  // of a microsecond each
    CPPUNIT_ASSERT_EQUAL(0u, lab_->close());
    lab_ = std::make_unique<Lab>(Lab::small(), 140'000);
    CPPUNIT_ASSERT_EQUAL(7u, b().protocol->handshakes_at_once());
    CPPUNIT_ASSERT_EQUAL(0u, lab_->close());
    lab_ = std::make_unique<Lab>(Lab::small(), 2'000'000);
    CPPUNIT_ASSERT_EQUAL(4u, b().protocol->handshakes_at_once());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BurstsTest);

}  // namespace wirelay::test
