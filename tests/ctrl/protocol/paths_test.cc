// Protects: that replies go where the peer is, and nowhere else: roaming follows authentic packets
// only, and the next hops that paths lead over are held exactly as long.
#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_ip.h>

#include "ctrl/packets/datagram.h"
#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using crypto::MessageType;
using dataplane::Endpoint;
using dataplane::IpAddr;

class PathsTest : public IntroducedLabTest {
  CPPUNIT_TEST_SUITE(PathsTest);
  CPPUNIT_TEST(handshake_tells_where_the_peer_is);
  CPPUNIT_TEST(authentic_data_moves_the_path);
  CPPUNIT_TEST(late_packet_of_the_previous_session_moves_nothing);
  CPPUNIT_TEST(previous_session_moves_the_path_until_the_new_one_is_heard);
  CPPUNIT_TEST(report_of_another_session_is_ignored);
  CPPUNIT_TEST(report_of_an_ended_session_is_ignored);
  CPPUNIT_TEST(unreported_moves_are_found_when_needed);
  CPPUNIT_TEST(a_move_outlives_its_session);
  CPPUNIT_TEST(operator_moves_the_endpoint);
  CPPUNIT_TEST(operator_comes_after_an_unreported_move);
  CPPUNIT_TEST(endpoint_set_again_brings_a_roamed_peer_back);
  CPPUNIT_TEST(endpoint_is_taken_away);
  CPPUNIT_TEST(unreachable_endpoint_carries_nothing);
  CPPUNIT_TEST(endpoint_lost_while_an_initiation_is_out);
  CPPUNIT_TEST(retransmission_looks_for_the_way_anew);
  CPPUNIT_TEST(next_hops_are_held_while_used);
  CPPUNIT_TEST(unreachable_initiator_gets_no_session);
  CPPUNIT_TEST(datagrams_survive_the_way_out_and_in);
  CPPUNIT_TEST(cut_frames_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void handshake_tells_where_the_peer_is() {
    a().translated = dataplane::parse_ip("203.0.113.5");
    lab_->connect();
    CPPUNIT_ASSERT(b().protocol->status(lab_->peer_of_b).endpoint ==
                   Endpoint({*a().translated, 51820}));
    const auto* path = b().shared.peers[lab_->peer_of_b].path.load();
    CPPUNIT_ASSERT(dataplane::path_local(*path) == b().endpoint());
  }

  void authentic_data_moves_the_path() {
    lab_->connect();
    a().translated = dataplane::parse_ip("203.0.113.5");
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT(endpoint_at_b() == Endpoint({*a().translated, 51820}));
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, b().counters().roamed);  // found, and moved
    // A copy of that packet from elsewhere is a replay: it moves nothing.
    a().send(lab_->peer_of_a, inner_packet(64, 2));
    rte_mbuf* copy = rte_pktmbuf_copy(a().outbox.back(), lab_->pool, 0, UINT32_MAX);
    lab_->deliver();
    *rte_pktmbuf_mtod_offset(copy, uint8_t*, 12) = 100;
    b().receive(copy);
    CPPUNIT_ASSERT(endpoint_at_b() == Endpoint({*a().translated, 51820}));
  }

  void late_packet_of_the_previous_session_moves_nothing() {
    for (const bool by_a : {true, false}) {
      setUp();
      lab_->connect();
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      std::vector<rte_mbuf*> late;
      late.swap(a().outbox);
      renew(by_a);
      b().send(lab_->peer_of_b, inner_packet(64, 3));
      lab_->deliver();
      a().translated = dataplane::parse_ip("203.0.113.5");
      a().send(lab_->peer_of_a, inner_packet(64, 2));
      lab_->deliver();
      const Endpoint moved{*a().translated, 51820};
      CPPUNIT_ASSERT(endpoint_at_b() == moved);
      for (rte_mbuf* packet : late) b().receive(packet);
      CPPUNIT_ASSERT_MESSAGE("it is taken all the same", inner_packet(64, 1) == b().inbox.back());
      CPPUNIT_ASSERT(endpoint_at_b() == moved);
      tearDown();
    }
    setUp();
  }

  /// The peer has answered and not yet heard of us: it has no newer session to send with.
  void previous_session_moves_the_path_until_the_new_one_is_heard() {
    lab_->connect();
    renew(false);
    a().translated = dataplane::parse_ip("203.0.113.5");
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT(inner_packet(64, 1) == b().inbox.back());
    CPPUNIT_ASSERT(endpoint_at_b() == Endpoint({*a().translated, 51820}));
  }

  void report_of_another_session_is_ignored() {
    lab_->connect();
    const auto reserved = b().sessions.reserve(lab_->peer_of_b, 0);
    for (const uint32_t index : {*reserved, 0u, 0x12345678u}) {
      b().protocol->handle(dataplane::Event{index, dataplane::EventKind::kMoved}, lab_->now);
    }
    CPPUNIT_ASSERT(endpoint_at_b() == a().endpoint());
    b().sessions.retire(*reserved);
  }

  void report_of_an_ended_session_is_ignored() {
    lab_->connect();
    const uint32_t index = b().shared.peers[lab_->peer_of_b].current;
    b().protocol->change_peer(lab_->peer_of_b, b().spec_of(a(), {.endpoint = false}), false);
    b().protocol->handle(dataplane::Event{index, dataplane::EventKind::kMoved}, lab_->now);
    CPPUNIT_ASSERT(endpoint_at_b() == a().endpoint());
  }

  /// The report found its ring full, and the peer has sent nothing since.
  void unreported_moves_are_found_when_needed() {
    move_unreported();
    CPPUNIT_ASSERT(endpoint_at_b() == moved_);
    lab_->wire.clear();
    lab_->lose = [](const Side&, const Message&) { return true; };
    b().send(lab_->peer_of_b, inner_packet(64, 2));
    lab_->advance(17 * kSecond);  // silence: b begins anew, where a is
    CPPUNIT_ASSERT(lab_->seen(b(), MessageType::kInitiation) != 0);
    CPPUNIT_ASSERT(dataplane::path_remote(*b().shared.peers[lab_->peer_of_b].path.load()) ==
                   moved_);
  }

  void a_move_outlives_its_session() {
    move_unreported();
    b().protocol->change_peer(lab_->peer_of_b, b().spec_of(a(), {.endpoint = false}), false);
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) == nullptr);
    CPPUNIT_ASSERT(endpoint_at_b() == moved_);
  }

  void operator_comes_after_an_unreported_move() {
    move_unreported();
    b().protocol->place_peer(lab_->peer_of_b, Endpoint{});
    CPPUNIT_ASSERT(!b().protocol->status(lab_->peer_of_b).endpoint);
    const Endpoint placed{*dataplane::parse_ip("203.0.113.6"), 7};
    b().protocol->place_peer(lab_->peer_of_b, placed);
    CPPUNIT_ASSERT(endpoint_at_b() == placed);
    b().protocol->handle(
        dataplane::Event{b().shared.peers[lab_->peer_of_b].current, dataplane::EventKind::kMoved},
        lab_->now);
    CPPUNIT_ASSERT(endpoint_at_b() == placed);
  }

  void operator_moves_the_endpoint() {
    lab_->connect();
    ctrl::PeerSpec spec = b().spec_of(a(), {});
    b().protocol->change_peer(lab_->peer_of_b, spec, true);
    a().translated = dataplane::parse_ip("203.0.113.5");
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    const Endpoint roamed_to{*a().translated, 51820};
    spec.persistent_keepalive = 25;  // another change does not bring the old endpoint back
    b().protocol->change_peer(lab_->peer_of_b, spec, true);
    CPPUNIT_ASSERT(endpoint_at_b() == roamed_to);
    spec.endpoint = Endpoint{*dataplane::parse_ip("203.0.113.6"), 7};
    b().protocol->change_peer(lab_->peer_of_b, spec, true);
    CPPUNIT_ASSERT(endpoint_at_b() == spec.endpoint);
  }

  void endpoint_set_again_brings_a_roamed_peer_back() {
    const ctrl::PeerSpec spec = b().spec_of(a(), {});
    b().protocol->change_peer(lab_->peer_of_b, spec, true);
    a().translated = dataplane::parse_ip("203.0.113.5");
    lab_->connect();
    CPPUNIT_ASSERT(endpoint_at_b() == Endpoint({*a().translated, 51820}));
    b().protocol->place_peer(lab_->peer_of_b, spec.endpoint);
    CPPUNIT_ASSERT(endpoint_at_b() == a().endpoint());
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) != nullptr);
  }

  void endpoint_is_taken_away() {
    lab_->connect();
    ctrl::PeerSpec spec = b().spec_of(a(), {.endpoint = false});
    b().protocol->change_peer(lab_->peer_of_b, spec, true);  // none is configured: it stays
    CPPUNIT_ASSERT(endpoint_at_b() == a().endpoint());
    b().protocol->place_peer(lab_->peer_of_b, Endpoint{});
    CPPUNIT_ASSERT(!b().protocol->status(lab_->peer_of_b).endpoint);
    CPPUNIT_ASSERT_EQUAL(0, b().holds[0]);
    a().send(lab_->peer_of_a, inner_packet(64, 1));  // heard again
    lab_->deliver();
    CPPUNIT_ASSERT(endpoint_at_b() == a().endpoint());
  }

  void unreachable_endpoint_carries_nothing() {
    lab_->connect();
    b().routable = false;
    ctrl::PeerSpec spec = b().spec_of(a(), {});
    spec.endpoint = Endpoint{*dataplane::parse_ip("203.0.113.6"), 7};
    b().protocol->change_peer(lab_->peer_of_b, spec, true);
    CPPUNIT_ASSERT(b().shared.peers[lab_->peer_of_b].path.load() == nullptr);
    CPPUNIT_ASSERT_EQUAL(0, b().holds[0]);
    b().routable = true;  // found when it is needed
    b().protocol->change_peer(lab_->peer_of_b, spec, false);
    b().protocol->change_peer(lab_->peer_of_b, spec, true);
    lab_->lose = [](const Side&, const Message&) { return true; };
    lab_->advance(6 * kSecond);
    b().send(lab_->peer_of_b, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(b(), MessageType::kInitiation));
    CPPUNIT_ASSERT_EQUAL(1, b().holds[0]);
    b().protocol->change_peer(lab_->peer_of_b, spec, false);
  }

  /// The next retransmission once followed the path that was no longer there.
  void endpoint_lost_while_an_initiation_is_out() {
    lab_->lose = [](const Side&, const Message&) { return true; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    a().routable = false;
    ctrl::PeerSpec spec = a().spec_of(b(), {});
    spec.endpoint = Endpoint{*dataplane::parse_ip("203.0.113.6"), 7};
    a().protocol->change_peer(lab_->peer_of_a, spec, true);
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT_EQUAL(0u, a().sessions.in_use());
  }

  void retransmission_looks_for_the_way_anew() {
    lab_->lose = [](const Side&, const Message&) { return true; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    a().next_adjacency = 3;
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT_EQUAL(uint16_t{3}, a().shared.peers[lab_->peer_of_a].path.load()->adjacency);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);
  }

  void next_hops_are_held_while_used() {
    CPPUNIT_ASSERT_EQUAL(1, a().holds[0]);  // the configured endpoint
    CPPUNIT_ASSERT_EQUAL(0, b().holds[0]);
    b().next_adjacency = 2;
    lab_->connect();
    CPPUNIT_ASSERT_EQUAL(1, b().holds[2]);
    b().next_adjacency = 4;
    a().translated = dataplane::parse_ip("203.0.113.5");
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(0, b().holds[2]);
    CPPUNIT_ASSERT_EQUAL(1, b().holds[4]);
    b().remove_peer(lab_->peer_of_b);
    CPPUNIT_ASSERT_EQUAL(0, b().holds[4]);
  }

  void unreachable_initiator_gets_no_session() {
    b().routable = false;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_unreachable);
    CPPUNIT_ASSERT_EQUAL(0u, b().sessions.in_use());
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);
  }

  void datagrams_survive_the_way_out_and_in() {
    for (const bool v6 : {false, true}) {
      const auto path = dataplane::make_path(a().endpoint(v6), b().endpoint(v6), 0, 0, 1500);
      const Bytes message(101, 0x5a);
      rte_mbuf* packet = ctrl::make_datagram(lab_->pool, path, message, ctrl::kHandshakeClass);
      CPPUNIT_ASSERT_EQUAL(ctrl::kHandshakeClass, class_of(packet));
      CPPUNIT_ASSERT(packet != nullptr);
      CPPUNIT_ASSERT(checksums_right(packet, v6));
      CPPUNIT_ASSERT(rte_pktmbuf_prepend(packet, 14) != nullptr);
      packet->port = 5;
      const auto datagram = ctrl::parse_frame(packet, 3);
      CPPUNIT_ASSERT(datagram);
      CPPUNIT_ASSERT(datagram->remote == a().endpoint(v6) && datagram->local == b().endpoint(v6));
      CPPUNIT_ASSERT(datagram->port == 5 && datagram->worker == 3);
      CPPUNIT_ASSERT(std::ranges::equal(message, datagram->message));
      rte_pktmbuf_free(packet);
    }
  }

  void cut_frames_are_refused() {
    for (const bool v6 : {false, true}) {
      const auto path = dataplane::make_path(a().endpoint(v6), b().endpoint(v6), 0, 0, 1500);
      rte_mbuf* packet = ctrl::make_datagram(lab_->pool, path, Bytes(148), ctrl::kNoClass);
      CPPUNIT_ASSERT_EQUAL(ctrl::kNoClass, class_of(packet));
      rte_pktmbuf_prepend(packet, 14);
      while (rte_pktmbuf_data_len(packet) > 0) {
        rte_pktmbuf_trim(packet, 1);
        CPPUNIT_ASSERT(!ctrl::parse_frame(packet, 0));
      }
      rte_pktmbuf_free(packet);
    }
  }

 private:
  /// A second session: a begins it because the first is old, or b because a has fallen silent; then
  /// a has not heard of it.
  void renew(bool by_a) {
    const uint32_t before = b().shared.peers[lab_->peer_of_b].current;
    if (by_a) {
      lab_->advance(120 * kSecond);
      a().send(lab_->peer_of_a, inner_packet(64, 9));
      lab_->advance(kSecond);
    } else {
      lab_->advance(12 * kSecond);
      lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kTransport; };
      b().send(lab_->peer_of_b, inner_packet(64, 9));
      lab_->advance(16 * kSecond);
      lab_->lose = nullptr;
    }
    CPPUNIT_ASSERT(before != b().shared.peers[lab_->peer_of_b].current);
  }
  /// a is elsewhere, and the worker alone has seen it.
  void move_unreported() {
    lab_->connect();
    a().translated = moved_.addr;
    b().lose_events = true;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    b().lose_events = false;
    CPPUNIT_ASSERT(dataplane::path_remote(*b().shared.peers[lab_->peer_of_b].path.load()) ==
                   a().endpoint());
  }
  const Endpoint moved_{*dataplane::parse_ip("203.0.113.5"), 51820};
  Endpoint endpoint_at_b() { return *b().protocol->status(lab_->peer_of_b).endpoint; }
  static uint8_t class_of(const rte_mbuf* packet) {
    const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
    return ip[0] >> 4 == 4 ? ip[1] : static_cast<uint8_t>(ip[0] << 4 | ip[1] >> 4);
  }
  static bool checksums_right(const rte_mbuf* packet, bool v6) {
    if (v6) {
      const auto* ip = rte_pktmbuf_mtod(packet, const rte_ipv6_hdr*);
      const uint16_t sum = rte_ipv6_udptcp_cksum(ip, ip + 1);
      return sum == 0 || sum == 0xffff;
    }
    auto* ip = rte_pktmbuf_mtod(packet, rte_ipv4_hdr*);
    const uint16_t sum = rte_ipv4_udptcp_cksum(ip, ip + 1);
    return (sum == 0 || sum == 0xffff) && rte_raw_cksum(ip, sizeof *ip) == 0xffff;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PathsTest);

}  // namespace wirelay::test
