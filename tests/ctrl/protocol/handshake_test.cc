// Protects: that two relays get a session from any side, through losses, and lose no packet that
// waited for it.
#include <cppunit/extensions/HelperMacros.h>

#include <rte_mempool.h>

#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using crypto::MessageType;

class HandshakeTest : public LabTest {
  CPPUNIT_TEST_SUITE(HandshakeTest);
  CPPUNIT_TEST(held_packets_arrive_in_order);
  CPPUNIT_TEST(works_over_ipv6);
  CPPUNIT_TEST(responder_waits_for_confirmation);
  CPPUNIT_TEST(confirmation_is_found_without_the_report);
  CPPUNIT_TEST(keepalive_confirms_when_nothing_waits);
  CPPUNIT_TEST(lost_initiation_is_sent_again);
  CPPUNIT_TEST(lost_response_is_made_up_for);
  CPPUNIT_TEST(gives_up_after_twenty_attempts);
  CPPUNIT_TEST(new_demand_goes_on_trying);
  CPPUNIT_TEST(without_endpoint_nothing_is_held);
  CPPUNIT_TEST(too_many_packets_wait);
  CPPUNIT_TEST(what_waits_leaves_most_buffers_to_others);
  CPPUNIT_TEST(messages_without_a_buffer_are_counted);
  CPPUNIT_TEST_SUITE_END();

 public:
  void held_packets_arrive_in_order() {
    lab_->introduce();
    for (uint8_t i = 0; i < 5; ++i) a().send(lab_->peer_of_a, inner_packet(64, i));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, a().outbox.size());  // the initiation
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{5}, b().inbox.size());
    for (uint8_t i = 0; i < 5; ++i) CPPUNIT_ASSERT(inner_packet(64, i) == b().inbox[i]);
    b().send(lab_->peer_of_b, inner_packet(80, 9));
    lab_->deliver();
    CPPUNIT_ASSERT(inner_packet(80, 9) == a().inbox.back());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().handshakes_completed);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().handshakes_completed);
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, a().counters().held_packets);
    check_status();
    CPPUNIT_ASSERT_EQUAL(0u, lab_->buffers_in_use());
  }

  void works_over_ipv6() {
    lab_->introduce({.v6 = true}, {.endpoint = false});
    lab_->connect();
    const auto status = b().protocol->status(lab_->peer_of_b);
    CPPUNIT_ASSERT(status.endpoint == a().endpoint(true));
  }

  void responder_waits_for_confirmation() {
    lab_->introduce();
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kTransport; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) == nullptr);
    CPPUNIT_ASSERT(!b().protocol->status(lab_->peer_of_b).has_session);
    lab_->lose = nullptr;
    a().send(lab_->peer_of_a, inner_packet(64, 2));
    lab_->deliver();
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) != nullptr);
  }

  void confirmation_is_found_without_the_report() {
    lab_->introduce();
    b().lose_events = true;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) == nullptr);
    lab_->advance(300 * kMillisecond);
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) != nullptr);
  }

  void keepalive_confirms_when_nothing_waits() {
    lab_->introduce({.keepalive = 25}, {.endpoint = false});
    lab_->advance(300 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, b().inbox.size());
    CPPUNIT_ASSERT(b().inbox[0].empty());
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) != nullptr);
  }

  void lost_initiation_is_sent_again() {
    lab_->introduce();
    unsigned lost = 0;
    lab_->lose = [&](const Side&, const Message&) { return lost++ < 2; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    lab_->advance(4900 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    lab_->advance(800 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(a(), MessageType::kInitiation));
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT(inner_packet(64, 1) == b().inbox.front());
    // Each has a key and an index of its own.
    CPPUNIT_ASSERT(lab_->wire[0].second.bytes != lab_->wire[1].second.bytes);
    CPPUNIT_ASSERT_EQUAL(1u, a().sessions.in_use());
  }

  void lost_response_is_made_up_for() {
    lab_->introduce();
    unsigned lost = 0;
    lab_->lose = [&](const Side&, const Message& m) {
      return m.type == MessageType::kResponse && lost++ == 0;
    };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(b(), MessageType::kResponse));
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
    CPPUNIT_ASSERT_EQUAL(1u, b().sessions.in_use());  // the first one is gone
  }

  void gives_up_after_twenty_attempts() {
    lab_->introduce();
    lab_->lose = [](const Side&, const Message&) { return true; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(120 * kSecond);
    const size_t sent = lab_->seen(a(), MessageType::kInitiation);
    CPPUNIT_ASSERT_EQUAL(size_t{20}, sent);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().held_dropped);
    CPPUNIT_ASSERT_EQUAL(0u, a().sessions.in_use());
    CPPUNIT_ASSERT_EQUAL(0u, lab_->buffers_in_use());
    lab_->advance(100 * kSecond);
    CPPUNIT_ASSERT_EQUAL(sent, lab_->seen(a(), MessageType::kInitiation));
    lab_->lose = nullptr;
    lab_->connect();
  }

  void new_demand_goes_on_trying() {
    lab_->introduce();
    lab_->lose = [](const Side&, const Message&) { return true; };
    for (int i = 0; i < 15; ++i) {
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      lab_->advance(10 * kSecond);
    }
    const size_t sent = lab_->seen(a(), MessageType::kInitiation);
    CPPUNIT_ASSERT(sent >= 26);
    CPPUNIT_ASSERT_EQUAL(1u, a().sessions.in_use());
    lab_->advance(130 * kSecond);  // twenty from the last packet on
    const size_t more = lab_->seen(a(), MessageType::kInitiation) - sent;
    CPPUNIT_ASSERT(more >= 17 && more <= 19);
  }

  void without_endpoint_nothing_is_held() {
    lab_->introduce();
    b().send(lab_->peer_of_b, inner_packet(64, 1));
    CPPUNIT_ASSERT(b().outbox.empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().held_dropped);
    CPPUNIT_ASSERT_EQUAL(0u, lab_->buffers_in_use());
  }

  void too_many_packets_wait() {
    lab_->introduce();
    for (uint8_t i = 0; i < 132; ++i) a().send(lab_->peer_of_a, inner_packet(64, i));
    CPPUNIT_ASSERT_EQUAL(uint64_t{4}, a().counters().held_overflow);
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{128}, b().inbox.size());
    for (uint8_t i = 0; i < 128; ++i) {
      CPPUNIT_ASSERT(inner_packet(64, static_cast<uint8_t>(i + 4)) == b().inbox[i]);
    }
  }

  void what_waits_leaves_most_buffers_to_others() {
    auto sizes = Lab::small();
    sizes.peers = 128;
    sizes.sessions = 512;
    sizes.prefixes = 256;
    lab_ = std::make_unique<Lab>(sizes);
    for (int i = 0; i < 100; ++i) {
      ctrl::PeerSpec spec = a().spec_of(b(), {});
      spec.public_key = crypto::derive_public_key(crypto::generate_private_key());
      const std::string inside = "10.0.1." + std::to_string(i);
      const uint32_t peer = a().add_peer(spec, inside.c_str());
      for (uint8_t k = 0; k < 16; ++k) a().punt(peer, inner_packet(64, k, inside.c_str()));
    }
    const size_t sent = a().outbox.size();  // initiations
    CPPUNIT_ASSERT_EQUAL(size_t{lab_->pool->size / 8}, lab_->buffers_in_use() - sent);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1600 - lab_->pool->size / 8}, a().counters().held_overflow);
  }

  void messages_without_a_buffer_are_counted() {
    lab_->introduce({.keepalive = 25}, {.endpoint = false});
    std::vector<rte_mbuf*> all = all_buffers();
    lab_->advance(300 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().no_memory);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, a().counters().initiations_sent);
    rte_pktmbuf_free(all.back());  // for the next initiation, whose response then finds none
    all.pop_back();
    lab_->advance(5500 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().initiations_sent);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().no_memory);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, b().counters().responses_sent);
    rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
    lab_->advance(6 * kSecond);
    const uint64_t keepalives = a().counters().keepalives_sent;
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, keepalives);  // there is a session
    all = all_buffers();
    lab_->advance(26 * kSecond);
    CPPUNIT_ASSERT_EQUAL(keepalives, a().counters().keepalives_sent);
    CPPUNIT_ASSERT(a().counters().no_memory > 1);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no new handshake for it", uint64_t{2},
                                 a().counters().initiations_sent);
    rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
  }

 private:
  std::vector<rte_mbuf*> all_buffers() {
    std::vector<rte_mbuf*> all;
    while (rte_mbuf* mbuf = rte_pktmbuf_alloc(lab_->pool)) all.push_back(mbuf);
    return all;
  }
  void check_status() {
    const auto of_b = a().protocol->status(lab_->peer_of_a);
    const auto of_a = b().protocol->status(lab_->peer_of_b);
    CPPUNIT_ASSERT(of_b.has_session && of_a.has_session);
    CPPUNIT_ASSERT(of_b.endpoint == b().endpoint() && of_a.endpoint == a().endpoint());
    CPPUNIT_ASSERT(of_b.last_handshake_unix_ns != 0 && of_a.last_handshake_unix_ns != 0);
    CPPUNIT_ASSERT(of_b.traffic.tx_bytes != 0);
    CPPUNIT_ASSERT_EQUAL(of_b.traffic.tx_bytes, of_a.traffic.rx_bytes);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HandshakeTest);

}  // namespace wirelay::test
