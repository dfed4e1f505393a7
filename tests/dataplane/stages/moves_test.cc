// Protects: a peer that moves, is sent to where it is from its first packet on: by all workers and
// before the control thread knows of it. Only the newest authentic packet that came whole moves the
// path, and what the control thread places later comes first. Beside one writer of moves, readers
// never see half of one.
#include <atomic>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/dataplane/reader_threads.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

Bytes from_inside(const Client& c) { return udp({c.inner4, 1}, kServer, pattern(52)); }

void send(DataPath& d, const Bytes& frame) {
  d.feed(0, frame);
  d.poll();
}

void send(DataPath& d, Client& c) { send(d, d.tunnelled(c, from_inside(c))); }

/// Where a packet from the plain network to the client goes now; worker `queue` seals it.
Parsed sent_to(DataPath& d, const Client& c, uint16_t queue = 0) {
  d.sent(0);
  d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(36))), queue);
  d.poll();
  const auto frames = d.sent(0);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, frames.size());
  return parse_ip_packet(parse_frame(frames[0]).payload);
}

bool is_sent_to(DataPath& d, const Client& c, const Endpoint& endpoint, uint16_t queue = 0) {
  const Parsed outer = sent_to(d, c, queue);
  return outer.valid && Endpoint{outer.to, outer.to_port} == endpoint;
}

/// As the control thread does when it hears of the move.
void adopt(DataPath& d, const Client& c) {
  const auto [stamp, seen] = d.shared->sessions.last_move(d.session(c));
  const PeerPath path =
      make_path(seen.local, seen.remote, d.ports[0]->id(), DataPath::kOutside, 1500);
  d.peers->set_path(c.peer, &path, stamp);
}

}  // namespace

class MovesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MovesTest);
  CPPUNIT_TEST(the_answer_to_the_first_packet_goes_where_it_came_from);
  CPPUNIT_TEST(every_worker_sends_there);
  CPPUNIT_TEST(each_newer_packet_moves_it);
  CPPUNIT_TEST(a_packet_that_was_overtaken_moves_nothing);
  CPPUNIT_TEST(what_is_not_authentic_or_not_new_moves_nothing);
  CPPUNIT_TEST(the_local_address_follows);
  CPPUNIT_TEST(an_unknown_path_is_known);
  CPPUNIT_TEST(what_the_control_thread_places_later_comes_first);
  CPPUNIT_TEST(a_forgotten_path_stays_so_until_the_peer_is_heard);
  CPPUNIT_TEST(a_move_that_is_published_is_no_move_any_more);
  CPPUNIT_TEST(a_new_session_begins_where_the_control_thread_says);
  CPPUNIT_TEST(a_damaged_packet_moves_nothing);
  CPPUNIT_TEST(a_packet_without_a_checksum_moves_it);
  CPPUNIT_TEST(the_nic_s_finding_is_taken);
  CPPUNIT_TEST(far_places_are_reached_by_the_port_s_gateway);
  CPPUNIT_TEST(without_a_way_back_the_known_path_stays);
  CPPUNIT_TEST(a_host_that_is_not_resolved_waits_for_the_control_thread);
  CPPUNIT_TEST(moves_are_reported_a_few_a_second);
  CPPUNIT_TEST(readers_see_whole_moves);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_answer_to_the_first_packet_goes_where_it_came_from() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      Client c = d.add_client(v6);
      send(d, c);
      c.endpoint = {addr(v6 ? "2001:db8:1::abc" : "192.0.2.250"), 9};
      send(d, d.tunnelled(c, echo_request(c.inner4, addr("10.0.0.1"), pattern(8))));
      const auto frames = d.sent(0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, frames.size());
      CPPUNIT_ASSERT(d.open(c, frames[0]));
      CPPUNIT_ASSERT(parse_frame(frames[0]).to == DataPath::kPeerMac);
    }
  }

  void every_worker_sends_there() {
    DataPathOptions options;
    options.workers = options.queues = 2;
    DataPath d(options);
    for (const uint32_t owner : {0, 1}) {
      Client c = d.add_client(false, owner);
      c.endpoint.port = 9;
      send(d, c);
      for (const uint16_t queue : {0, 1}) CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint, queue));
    }
  }

  /// A NAT that changes its mind with each packet.
  void each_newer_packet_moves_it() {
    DataPath d;
    Client c = d.add_client();
    for (uint16_t port = 1; port < 20; ++port) {
      c.endpoint.port = port;
      send(d, c);
      CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
      if (port % 3 == 0) adopt(d, c);
      if (port % 5 == 0) d.now += DataPath::kHz;
    }
  }

  void a_packet_that_was_overtaken_moves_nothing() {
    DataPath d;
    Client c = d.add_client();
    const Bytes late = d.tunnelled(c, from_inside(c));
    const Client before = c;
    c.endpoint.port = 9;
    send(d, c);
    d.sent(1);
    send(d, late);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("it is taken all the same", size_t{1}, d.sent(1).size());
    CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
    adopt(d, c);
    Client again = before;
    again.counter = c.counter;
    const Bytes raced = d.tunnelled(again, from_inside(c));  // one that somebody has sent on
    c.counter = again.counter;
    const Bytes next = d.tunnelled(c, from_inside(c));
    send(d, next);
    send(d, raced);
    CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
  }

  void what_is_not_authentic_or_not_new_moves_nothing() {
    DataPath d;
    Client c = d.add_client();
    const Endpoint place = c.endpoint;
    const Bytes message = d.seal(c, from_inside(c));
    Bytes forged = d.seal(c, from_inside(c));
    forged.back() ^= 1;
    send(d, d.from_client(c, message));
    c.endpoint.port = 9;
    send(d, d.from_client(c, message));
    send(d, d.from_client(c, forged));
    CPPUNIT_ASSERT(is_sent_to(d, c, place));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.session(c).moved.load());
  }

  void the_local_address_follows() {
    DataPath d;
    Client c = d.add_client();
    const Endpoint local{addr("198.51.100.1"), 51820};  // of the other port
    send(d, ethernet(d.mac(0), DataPath::kPeerMac, kTypeIpv4,
                     udp(c.endpoint, local, d.seal(c, from_inside(c)))));
    const Parsed outer = sent_to(d, c);
    CPPUNIT_ASSERT((Endpoint{outer.from, outer.from_port} == local));
    CPPUNIT_ASSERT((Endpoint{outer.to, outer.to_port} == c.endpoint));
  }

  void an_unknown_path_is_known() {
    DataPath d;
    Client c = d.add_client(true);
    d.peers->set_path(c.peer, nullptr);
    d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(36))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kNoEndpoint));
    send(d, c);
    CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
  }

  /// An operator says where the peer is; then it is heard again.
  void what_the_control_thread_places_later_comes_first() {
    DataPath d;
    Client c = d.add_client();
    c.endpoint.port = 9;
    send(d, c);
    const Endpoint placed{addr("192.0.2.77"), 7};
    const PeerPath path =
        make_path(d.relay_endpoint(false), placed, d.ports[0]->id(), DataPath::kOutside, 1500);
    d.peers->set_path(c.peer, &path, d.session(c).moved);
    CPPUNIT_ASSERT(is_sent_to(d, c, placed));
    send(d, c);
    CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
  }

  void a_forgotten_path_stays_so_until_the_peer_is_heard() {
    DataPath d;
    Client c = d.add_client();
    c.endpoint.port = 9;
    send(d, c);
    d.peers->set_path(c.peer, nullptr, d.now + 5);
    d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(36))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kNoEndpoint));
    send(d, c);
    CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
  }

  void a_move_that_is_published_is_no_move_any_more() {
    DataPath d;
    Client c = d.add_client();
    c.endpoint.port = 9;
    send(d, c);
    adopt(d, c);
    const uint64_t stamp = d.session(c).moved;
    send(d, c);
    CPPUNIT_ASSERT_EQUAL(stamp, d.session(c).moved.load());
    CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
  }

  void a_new_session_begins_where_the_control_thread_says() {
    DataPath d;
    Client c = d.add_client();
    const Endpoint place = c.endpoint;
    c.endpoint.port = 9;
    send(d, c);
    d.new_session(c);
    CPPUNIT_ASSERT(is_sent_to(d, c, place));
  }

  /// A switch has turned a bit of its port or address: the tag does not tell, the checksum does.
  void a_damaged_packet_moves_nothing() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      Client c = d.add_client(v6);
      const Endpoint place = c.endpoint;
      Bytes frame = d.tunnelled(c, from_inside(c));
      frame[14 + (v6 ? 40 : 20) + 1] ^= 4;  // the source port's
      send(d, frame);
      const auto out = d.sent(1);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
      const Parsed inner = parse_ip_packet(parse_frame(out[0]).payload);
      CPPUNIT_ASSERT_MESSAGE("it came whole inside", inner.valid && inner.payload == pattern(52));
      CPPUNIT_ASSERT(is_sent_to(d, c, place));
      CPPUNIT_ASSERT_EQUAL(size_t{1}, d.events().size());  // confirmed
    }
  }

  void a_packet_without_a_checksum_moves_it() {
    DataPath d;
    Client c = d.add_client();
    c.endpoint.port = 9;
    Bytes frame = d.tunnelled(c, from_inside(c));
    frame[14 + 20 + 6] = frame[14 + 20 + 7] = 0;
    send(d, frame);
    CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
  }

  void the_nic_s_finding_is_taken() {
    for (const bool good : {true, false}) {
      DataPath d;
      Client c = d.add_client();
      const Endpoint place = c.endpoint;
      c.endpoint.port = 9;
      Bytes frame = d.tunnelled(c, from_inside(c));
      if (good) frame[14 + 20 + 6] ^= 1;  // a NIC finds its sum before something changes it
      d.feed(0, frame)->ol_flags |= good ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : RTE_MBUF_F_RX_L4_CKSUM_BAD;
      d.poll();
      CPPUNIT_ASSERT(is_sent_to(d, c, good ? c.endpoint : place));
    }
  }

  void far_places_are_reached_by_the_port_s_gateway() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      Client c = d.add_client(v6);
      (v6 ? d.port(0).gateway6 : d.port(0).gateway4) = DataPath::kOutside;
      c.endpoint.addr = addr(v6 ? "2001:db8:99::1" : "203.0.113.77");
      send(d, c);
      CPPUNIT_ASSERT(is_sent_to(d, c, c.endpoint));
    }
  }

  /// The control thread looks at other ports, too.
  void without_a_way_back_the_known_path_stays() {
    DataPath d;
    Client c = d.add_client(false, 0, true);
    const Endpoint place = c.endpoint;
    c.endpoint.addr = addr("203.0.113.77");
    send(d, c);
    CPPUNIT_ASSERT(is_sent_to(d, c, place));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.events().size());
  }

  void a_host_that_is_not_resolved_waits_for_the_control_thread() {
    DataPath d;
    Client c = d.add_client();
    d.prefixes->remove(prefix("192.0.2.0/24"));  // an address of the gateway's port it seems then
    c.endpoint.port = 9;
    send(d, c);
    d.sent(1);
    d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(36))));
    d.poll();
    const auto punts = d.punts();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, punts.size());
    CPPUNIT_ASSERT(punts[0].reason == PuntReason::kUnresolved);
    CPPUNIT_ASSERT_EQUAL(kNoAdjacency, punts[0].adjacency);
    CPPUNIT_ASSERT(parse_ip_packet(bytes_of(punts[0].mbuf)).to == c.endpoint.addr);
    rte_pktmbuf_free(punts[0].mbuf);
  }

  void moves_are_reported_a_few_a_second() {
    DataPath d;
    Client c = d.add_client(false, 0, true);
    for (unsigned i = 0; i < 10; ++i) {
      ++c.endpoint.port;
      send(d, c);
    }
    const auto events = d.events();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, events.size());
    CPPUNIT_ASSERT(events[0].kind == EventKind::kMoved && events[0].session == c.index);
    d.now += DataPath::kHz / PuntAllowance::kPeriodsPerSecond;
    send(d, c);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the last of them", size_t{1}, d.events().size());
    d.now += DataPath::kHz;
    send(d, c);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, d.events().size());
  }

  void readers_see_whole_moves() {
    DataPath d;
    const Client c = d.add_client();
    Session& s = d.session(c);
    SessionTable& sessions = d.shared->sessions;
    std::atomic<uint64_t> torn{0}, back{0};
    const auto seen_at = [](uint16_t n) {
      const uint8_t bytes[4] = {static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n), 1, 1};
      return Sighting{{IpAddr::v4(bytes), n}, {IpAddr::v4(bytes), n}, n};
    };
    sessions.move(s, 0, 0, seen_at(0));
    ReaderThreads readers(d.shared->rcu, 2, [&](unsigned) {
      static thread_local uint64_t last = 0;
      const auto move = sessions.last_move(s);
      if (!(move.where == seen_at(move.where.port))) ++torn;
      if (move.stamp < last) ++back;
      last = move.stamp;
    });
    for (unsigned i = 1; i < 200'000; ++i)
      sessions.move(s, i / 7, i / 5, seen_at(static_cast<uint16_t>(i)));
    readers.stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, torn.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, back.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MovesTest);

}  // namespace wirelay::dataplane
