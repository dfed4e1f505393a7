// Protects: that nobody gets a session who should not, that whatever is refused changes nothing,
// and that a peer that is gone leaves nothing behind.
#include <algorithm>
#include <cstring>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using crypto::MessageType;

class RefusalTest : public LabTest {
  CPPUNIT_TEST_SUITE(RefusalTest);
  CPPUNIT_TEST(preshared_keys_must_agree);
  CPPUNIT_TEST(changed_preshared_key_holds_from_the_next_handshake_on);
  CPPUNIT_TEST(replayed_initiation_is_refused);
  CPPUNIT_TEST(initiations_of_a_peer_are_spaced);
  CPPUNIT_TEST(unknown_peer_is_refused);
  CPPUNIT_TEST(forged_messages_change_nothing);
  CPPUNIT_TEST(disabled_peer_neither_asks_nor_answers);
  CPPUNIT_TEST(removed_peer_leaves_nothing_behind);
  CPPUNIT_TEST(peer_number_is_reused_cleanly);
  CPPUNIT_TEST(packet_of_a_removed_peer_is_sealed_for_nobody);
  CPPUNIT_TEST(packet_whose_address_has_moved_is_sealed_for_nobody);
  CPPUNIT_TEST(crossing_handshakes_take_four_slots);
  CPPUNIT_TEST(full_session_table_refuses);
  CPPUNIT_TEST(retransmission_takes_no_second_slot);
  CPPUNIT_TEST(low_order_key_is_refused);
  CPPUNIT_TEST(low_order_ephemeral_keys_give_no_session);
  CPPUNIT_TEST_SUITE_END();

 public:
  void preshared_keys_must_agree() {
    const crypto::Secret right = crypto::generate_preshared_key();
    lab_->introduce({.preshared = right},
                    {.preshared = crypto::generate_preshared_key(), .endpoint = false});
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(kSecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) == nullptr);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().refused_bad_message);
    b().protocol->change_peer(lab_->peer_of_b,
                              b().spec_of(a(), {.preshared = right, .endpoint = false}), true);
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
    CPPUNIT_ASSERT(inner_packet(64, 1) == b().inbox.front());
  }

  void changed_preshared_key_holds_from_the_next_handshake_on() {
    lab_->introduce();
    lab_->connect();
    const crypto::Secret key = crypto::generate_preshared_key();
    b().protocol->change_peer(lab_->peer_of_b,
                              b().spec_of(a(), {.preshared = key, .endpoint = false}), true);
    a().send(lab_->peer_of_a, inner_packet(64, 7));
    b().send(lab_->peer_of_b, inner_packet(64, 8));
    lab_->deliver();
    CPPUNIT_ASSERT(inner_packet(64, 7) == b().inbox.back());
    CPPUNIT_ASSERT(inner_packet(64, 8) == a().inbox.back());
    lab_->advance(121 * kSecond);
    a().send(lab_->peer_of_a, inner_packet(64, 9));
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().refused_bad_message);  // the keys differ
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().handshakes_completed);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.preshared = key}), true);
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, a().counters().handshakes_completed);
  }

  void replayed_initiation_is_refused() {
    lab_->introduce();
    lab_->connect();
    const uint32_t index = b().shared.peers[lab_->peer_of_b].current;
    lab_->advance(kSecond);
    replay(0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_replay);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(b(), MessageType::kResponse));
    CPPUNIT_ASSERT_EQUAL(index, b().shared.peers[lab_->peer_of_b].current.load());
    CPPUNIT_ASSERT_EQUAL(1u, b().sessions.in_use());
  }

  void initiations_of_a_peer_are_spaced() {
    lab_->introduce();
    lab_->connect();
    now().tsc += 10 * kMillisecond;
    replay(0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_too_soon);
    now().tsc += 10 * kMillisecond;
    replay(0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_too_soon);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_replay);
  }

  void unknown_peer_is_refused() {
    lab_->peer_of_a = a().add_peer(b(), {});
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_unknown_peer);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, lab_->seen(b(), MessageType::kResponse));
    CPPUNIT_ASSERT_EQUAL(0u, b().sessions.in_use());
  }

  void forged_messages_change_nothing() {
    lab_->introduce();
    lab_->connect();
    lab_->advance(kSecond);
    const Bytes initiation = lab_->wire[0].second.bytes;
    const Bytes response = lab_->wire[1].second.bytes;
    for (const Bytes& message : {initiation, response}) {
      for (size_t at = 4; at < message.size() - 32; at += 3) {
        Bytes forged = message;
        forged[at] ^= 1;
        b().hear(forged, a().endpoint());
        a().hear(forged, b().endpoint());
        lab_->deliver();
      }
    }
    for (size_t bytes : {size_t{0}, size_t{3}, size_t{16}, size_t{64}, size_t{147}, size_t{149}}) {
      Bytes junk(bytes, 1);
      b().hear(junk, a().endpoint());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(b(), MessageType::kResponse));
    CPPUNIT_ASSERT_EQUAL(1u, b().sessions.in_use());
    CPPUNIT_ASSERT_EQUAL(1u, a().sessions.in_use());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().roamed + a().counters().roamed);  // connect()
    CPPUNIT_ASSERT_EQUAL(0u, lab_->buffers_in_use());
    CPPUNIT_ASSERT(a().protocol->status(lab_->peer_of_a).endpoint == b().endpoint());
    CPPUNIT_ASSERT(b().protocol->status(lab_->peer_of_b).endpoint == a().endpoint());
    CPPUNIT_ASSERT(a().protocol->status(lab_->peer_of_a).has_session);
  }

  void disabled_peer_neither_asks_nor_answers() {
    lab_->introduce();
    lab_->connect();
    const auto spec_a = a().spec_of(b(), {});
    const auto spec_b = b().spec_of(a(), {.endpoint = false});
    b().protocol->change_peer(lab_->peer_of_b, spec_b, false);
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) == nullptr);
    b().send(lab_->peer_of_b, inner_packet(64, 7));
    CPPUNIT_ASSERT(b().outbox.empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().held_dropped);
    a().protocol->change_peer(lab_->peer_of_a, spec_a, false);
    a().protocol->change_peer(lab_->peer_of_a, spec_a, true);
    lab_->advance(6 * kSecond);
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_disabled);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) == nullptr);
    b().protocol->change_peer(lab_->peer_of_b, spec_b, true);
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) != nullptr);
  }

  void removed_peer_leaves_nothing_behind() {
    lab_->introduce();
    lab_->connect();
    a().send(lab_->peer_of_a, inner_packet(64, 2));
    b().remove_peer(lab_->peer_of_b);
    lab_->deliver();  // no longer opened
    CPPUNIT_ASSERT_EQUAL(size_t{1}, b().inbox.size());
    b().shared.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0u, b().sessions.in_use());
    for (const int holds : b().holds) CPPUNIT_ASSERT_EQUAL(0, holds);
    CPPUNIT_ASSERT(!b().protocol->status(lab_->peer_of_b).endpoint);
    // In the middle of a handshake, with a packet that waits.
    lab_->advance(6 * kSecond);
    a().remove_peer(lab_->peer_of_a);
    lab_->peer_of_a = a().add_peer(b(), {});
    a().send(lab_->peer_of_a, inner_packet(64, 3));
    a().remove_peer(lab_->peer_of_a);
    a().shared.rcu.poll();
    lab_->advance(10 * kSecond);
    CPPUNIT_ASSERT_EQUAL(0u, a().sessions.in_use());
    CPPUNIT_ASSERT_EQUAL(0u, lab_->buffers_in_use());
  }

  void peer_number_is_reused_cleanly() {
    lab_->introduce();
    lab_->connect();
    lab_->advance(kSecond);
    const uint32_t number = lab_->peer_of_b;
    b().remove_peer(number);
    // Traffic of the old session is counted when its grace period ends: for nobody.
    b().shared.rcu.poll();
    lab_->peer_of_b = b().add_peer(a(), {.endpoint = false});
    CPPUNIT_ASSERT_EQUAL(number, lab_->peer_of_b);
    const auto status = b().protocol->status(number);
    CPPUNIT_ASSERT(!status.has_session && !status.endpoint);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, status.last_handshake_unix_ns + status.traffic.rx_packets);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), true);
    lab_->advance(6 * kSecond);
    lab_->connect();
  }

  /// The punt names a peer's number, which is another peer's when the punt is served.
  void packet_of_a_removed_peer_is_sealed_for_nobody() {
    lab_->introduce();
    lab_->connect();
    const Bytes stale = inner_packet(64, 7, "10.0.0.44");
    a().punt(lab_->peer_of_a, stale);  // while there is a session
    CPPUNIT_ASSERT(a().outbox.empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().held_dropped);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), true);
    lab_->advance(6 * kSecond);
    a().punt(lab_->peer_of_a, stale);  // and while there is none
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, a().counters().held_dropped);
    CPPUNIT_ASSERT_MESSAGE("it is no reason for a handshake", a().outbox.empty());
    a().punt(lab_->peer_of_a, Bytes(20, 0));  // no IP packet at all
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, a().counters().held_dropped);
    lab_->connect();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, b().inbox.size());
  }

  /// A packet waits for a session, and meanwhile its destination is given to another peer.
  void packet_whose_address_has_moved_is_sealed_for_nobody() {
    lab_->introduce();
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    a().send(lab_->peer_of_a, inner_packet(64, 2, "10.0.0.10"));
    const dataplane::Prefix moved[] = {*dataplane::parse_prefix("10.0.0.10")};
    CPPUNIT_ASSERT(a().peers.set_allowed(lab_->peer_of_a, moved));
    a().punt(lab_->peer_of_a, inner_packet(64, 3, "10.0.0.10"));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, b().inbox.size());
    CPPUNIT_ASSERT(inner_packet(64, 3, "10.0.0.10") == b().inbox[0]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, a().counters().held_dropped);
  }

  void retransmission_takes_no_second_slot() {
    lab_.reset();
    auto sizes = Lab::small();
    sizes.sessions = 4;
    lab_ = std::make_unique<Lab>(sizes);
    lab_->introduce();
    lab_->lose = [](const Side&, const Message&) { return true; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    std::vector<uint32_t> taken;
    while (const auto index = a().sessions.reserve(7, 0)) taken.push_back(*index);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, taken.size());
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, a().counters().refused_full);
    lab_->lose = nullptr;
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT(inner_packet(64, 1) == b().inbox.front());
    for (const uint32_t index : taken) a().sessions.retire(index);
  }

  /// The current session, the previous one, one that we make, and one that the peer makes: what a
  /// peer has at most, and sizes.sessions at least.
  void crossing_handshakes_take_four_slots() {
    lab_.reset();
    auto sizes = Lab::small();
    sizes.sessions = 4;
    lab_ = std::make_unique<Lab>(sizes);
    lab_->introduce({}, {});
    lab_->connect();
    uint32_t most = 0;
    for (int i = 0; i < 5; ++i) {
      // The peer's silence is why a begins anew, its own is why b does, at the same time.
      lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kTransport; };
      lab_->advance(kSecond);
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      b().send(lab_->peer_of_b, inner_packet(64, 2));
      for (int step = 0; step < 2000; ++step) {
        lab_->advance(10 * kMillisecond);
        most = std::max(most, std::max(a().sessions.in_use(), b().sessions.in_use()));
      }
      lab_->lose = nullptr;
      a().send(lab_->peer_of_a, inner_packet(64, 3));
      b().send(lab_->peer_of_b, inner_packet(64, 4));
      lab_->deliver();
    }
    CPPUNIT_ASSERT(most >= 3 && most <= 4);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, a().counters().refused_full + b().counters().refused_full);
  }

  void full_session_table_refuses() {
    lab_.reset();
    auto sizes = Lab::small();
    sizes.sessions = 2;
    lab_ = std::make_unique<Lab>(sizes);
    lab_->introduce();
    std::vector<uint32_t> taken;
    while (const auto index = b().sessions.reserve(7, 0)) taken.push_back(*index);
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_full);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, lab_->seen(b(), MessageType::kResponse));
    for (uint32_t index : taken) b().sessions.retire(index);
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
    // The initiator's side: nothing waits for a session that cannot come.
    while (const auto index = b().sessions.reserve(7, 0)) taken.push_back(*index);
    b().protocol->change_peer(lab_->peer_of_b, b().spec_of(a(), {}), false);
    b().protocol->change_peer(lab_->peer_of_b, b().spec_of(a(), {}), true);
    while (const auto index = b().sessions.reserve(7, 0)) taken.push_back(*index);
    lab_->advance(6 * kSecond);
    while (const auto index = b().sessions.reserve(7, 0)) taken.push_back(*index);
    b().send(lab_->peer_of_b, inner_packet(64, 2));
    CPPUNIT_ASSERT(b().outbox.empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().held_dropped);
  }

  void low_order_key_is_refused() {
    lab_->introduce();
    ctrl::PeerSpec spec = a().spec_of(b(), {});
    spec.public_key = {};  // a point of order 2 or less
    const uint32_t peer = a().add_peer(spec, "10.0.0.77");
    a().send(peer, inner_packet(64, 1, "10.0.0.77"));
    CPPUNIT_ASSERT(a().outbox.empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().held_dropped);
    CPPUNIT_ASSERT_EQUAL(0u, a().sessions.in_use());
  }

  void low_order_ephemeral_keys_give_no_session() {
    lab_->introduce();
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    std::vector<rte_mbuf*> out;
    out.swap(a().outbox);
    const Bytes initiation = message_of(out.front()).bytes;
    for (const uint8_t u : {0, 1}) {  // all zeros, and the point of order 1
      Bytes forged = initiation;
      std::fill_n(&forged[8], 32, 0);
      forged[8] = u;
      b().hear(forged, a().endpoint());
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, b().counters().refused_bad_message);
    b().receive(out.front());
    const Bytes response = message_of(b().outbox.front()).bytes;
    for (const uint8_t u : {0, 1}) {
      Bytes forged = response;
      std::fill_n(&forged[12], 32, 0);
      forged[12] = u;
      a().hear(forged, b().endpoint());
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, a().counters().refused_bad_message);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) == nullptr);
    lab_->deliver();
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
  }

 private:
  ctrl::Now& now() { return lab_->now; }

  void replay(size_t place) {
    b().hear(lab_->wire[place].second.bytes, a().endpoint());
    lab_->deliver();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RefusalTest);

}  // namespace wirelay::test
