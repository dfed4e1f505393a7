// Protects: a router's word that a packet did not fit is believed where it quotes a message of a
// session on its way, and nowhere else; it holds for where the peer is, for ten minutes, and never
// below what the family must carry.
#include <cstring>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/packets/path_report.h"
#include "ctrl/protocol/narrow_paths.h"
#include "tests/ctrl/protocol/lab_test.h"
#include "tests/support/packets.h"

namespace wirelay::test {

using dataplane::Endpoint;
using dataplane::IpAddr;

namespace {

const IpAddr kRouter4 = addr("203.0.113.254"), kRouter6 = addr("2001:db8:ff::1");

void put_be(Bytes& out, size_t at, uint32_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    out[at + i] = static_cast<uint8_t>(value >> 8 * (bytes - 1 - i));
}

/// A transport message on its way, cut where a router ends its quotation; `bytes`: as it was sent.
Bytes quoted(const Endpoint& from, const Endpoint& to, uint32_t receiver, size_t bytes = 1500) {
  const size_t front = from.addr.is_v4() ? 28 : 48;
  Bytes message(bytes - front);
  message[0] = 4;
  std::memcpy(&message[4], &receiver, sizeof receiver);
  Bytes packet = udp(from, to, message);
  if (from.addr.is_v4()) packet[6] = 0x40;  // not to be cut
  packet.resize(front + 40);
  return packet;
}

/// A router's report about it, as a frame for `to`.
Bytes report(const IpAddr& from, const IpAddr& to, uint32_t mtu, const Bytes& quotation) {
  const bool v4 = from.is_v4();
  Bytes message = {static_cast<uint8_t>(v4 ? 3 : 2), static_cast<uint8_t>(v4 ? 4 : 0), 0, 0};
  message = message + Bytes(4) + quotation;
  put_be(message, 4, mtu, 4);
  return ethernet({}, {}, v4 ? kTypeIpv4 : kTypeIpv6,
                  ip(from, to, v4 ? kIcmp : kIcmp6, with_icmp_checksum(from, to, message)));
}

}  // namespace

class NarrowTest : public IntroducedLabTest {
  CPPUNIT_TEST_SUITE(NarrowTest);
  CPPUNIT_TEST(a_report_about_a_session_is_believed_for_ten_minutes);
  CPPUNIT_TEST(others_are_not);
  CPPUNIT_TEST(elsewhere_the_way_is_another);
  CPPUNIT_TEST(reports_are_read_in_both_families);
  CPPUNIT_TEST(damaged_reports_are_refused);
  CPPUNIT_TEST(what_was_learned_last_holds);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_report_about_a_session_is_believed_for_ten_minutes() {
    lab_->connect();
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, mtu());
    tell(1400, right());
    CPPUNIT_ASSERT_EQUAL(uint16_t{1400}, mtu());
    CPPUNIT_ASSERT_EQUAL(uint16_t{1400}, b().protocol->status(lab_->peer_of_b).path_mtu);
    tell(1450, right());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no wider by it", uint16_t{1400}, mtu());
    tell(60, right());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no less than 576", uint16_t{576}, mtu());
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, b().counters().narrowed);
    lab_->advance(590 * kSecond, kSecond);
    CPPUNIT_ASSERT_EQUAL(uint16_t{576}, mtu());
    lab_->advance(20 * kSecond, kSecond);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, mtu());
  }

  void others_are_not() {
    lab_->connect();
    const uint32_t receiver = b().current(lab_->peer_of_b)->remote_index;
    const Endpoint ours = b().endpoint(), theirs = a().endpoint();
    tell(1400, quoted(ours, theirs, receiver ^ 1));
    tell(1400, quoted(ours, {theirs.addr, 7}, receiver));
    tell(1400, quoted({ours.addr, 7}, theirs, receiver));
    tell(1400, quoted(theirs, ours, receiver));
    tell(1400, quoted(ours, theirs, receiver, 1400));  // it would have fit
    Bytes handshake = quoted(ours, theirs, receiver);
    handshake[28] = 1;
    tell(1400, handshake);
    Bytes cut = right();
    cut.resize(28);
    tell(1400, cut);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, mtu());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, b().counters().narrowed);
  }

  void elsewhere_the_way_is_another() {
    lab_->connect();
    tell(1400, right());
    a().translated = dataplane::parse_ip("203.0.113.5");
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, mtu());
  }

  void reports_are_read_in_both_families() {
    for (const bool v6 : {false, true}) {
      const Endpoint ours{addr(v6 ? "2001:db8::1" : "192.0.2.1"), 51820};
      const Endpoint theirs{addr(v6 ? "2001:db8::2" : "192.0.2.2"), 4000};
      for (const uint32_t said : {100u, 1300u, 1499u}) {
        const auto read = parse(
            report(v6 ? kRouter6 : kRouter4, ours.addr, said, quoted(ours, theirs, 0x12345678)));
        CPPUNIT_ASSERT(read.has_value());
        CPPUNIT_ASSERT(read->local == ours && read->remote == theirs);
        CPPUNIT_ASSERT_EQUAL(0x12345678u, read->receiver);
        const uint32_t least = v6 ? 1280 : 576;
        CPPUNIT_ASSERT_EQUAL(std::max(said, least), uint32_t{read->mtu});
      }
    }
  }

  void damaged_reports_are_refused() {
    for (const bool v6 : {false, true}) {
      const Endpoint ours{addr(v6 ? "2001:db8::1" : "192.0.2.1"), 51820};
      const Endpoint theirs{addr(v6 ? "2001:db8::2" : "192.0.2.2"), 4000};
      const Bytes good = report(v6 ? kRouter6 : kRouter4, ours.addr, 1300, quoted(ours, theirs, 7));
      for (size_t bytes = 14; bytes < good.size(); ++bytes) {
        CPPUNIT_ASSERT(!parse(Bytes(good.begin(), good.begin() + static_cast<long>(bytes))));
      }
      Bytes damaged = good;
      damaged.back() ^= 1;
      CPPUNIT_ASSERT(!parse(damaged));
    }
  }

  void what_was_learned_last_holds() {
    ctrl::NarrowPaths paths;
    const IpAddr here = addr("192.0.2.1"), there = addr("192.0.2.2");
    CPPUNIT_ASSERT(paths.learn(1, here, 1400, 100));
    CPPUNIT_ASSERT(!paths.learn(1, here, 1400, 200));
    CPPUNIT_ASSERT(paths.learn(1, here, 1300, 200));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1300}, paths.mtu(1, here, 1500));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1200}, paths.mtu(1, here, 1200));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, paths.mtu(1, there, 1500));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, paths.mtu(2, here, 1500));
    CPPUNIT_ASSERT(!paths.expire(150));
    CPPUNIT_ASSERT(paths.expire(200) == 1u);
    CPPUNIT_ASSERT(!paths.expire(300));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, paths.mtu(1, here, 1500));
  }

 private:
  uint16_t mtu() { return b().shared.peers[lab_->peer_of_b].path.load()->mtu; }
  Bytes right() {
    return quoted(b().endpoint(), a().endpoint(), b().current(lab_->peer_of_b)->remote_index);
  }
  void tell(uint32_t said, const Bytes& quotation) {
    rte_mbuf* frame = mbuf_of(report(kRouter4, b().endpoint().addr, said, quotation));
    b().protocol->handle({frame, dataplane::PuntReason::kPathReport, 0, 0, 0}, b().now);
  }
  rte_mbuf* mbuf_of(const Bytes& bytes) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(lab_->pool);
    CPPUNIT_ASSERT(mbuf != nullptr);
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    return mbuf;
  }
  std::optional<ctrl::PathReport> parse(const Bytes& frame) {
    rte_mbuf* mbuf = mbuf_of(frame);
    const auto read = ctrl::parse_path_report(mbuf);
    rte_pktmbuf_free(mbuf);
    return read;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NarrowTest);

}  // namespace wirelay::test
