// Protects the whole way of a packet through relaygen, against an endpoint in miniature: rounds
// that never use a nonce twice, and each fault of the far end (loss, duplicates, reordering,
// damage, wrong addresses) counted as what it is.
#include <algorithm>
#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/tools/relaygen/traffic_setup.h"

namespace wirelay::relaygen {

namespace {

class TrafficTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TrafficTest);
  CPPUNIT_TEST(no_nonce_is_used_twice);
  CPPUNIT_TEST(up_is_verified);
  CPPUNIT_TEST(faults_on_the_plain_side);
  CPPUNIT_TEST(down_and_hub_are_verified);
  CPPUNIT_TEST(faults_on_the_tunnel_side);
  CPPUNIT_TEST(packets_of_an_earlier_round_are_late);
  CPPUNIT_TEST_SUITE_END();

  void no_nonce_is_used_twice() {
    Setup s;
    s.bring_up();
    for (int i = 0; i < 3; ++i) s.send_round(Mode::kUp, 200);
    s.send_round(Mode::kHub, 200);
    CPPUNIT_ASSERT_EQUAL(size_t{kPeers}, s.far.counters.size());
    for (auto& [index, counters] : s.far.counters) {
      std::set<uint64_t> distinct(counters.begin(), counters.end());
      CPPUNIT_ASSERT_EQUAL(counters.size(), distinct.size());
      CPPUNIT_ASSERT_EQUAL(uint64_t{counters.size() - 1}, *distinct.rbegin());
    }
  }

  void up_is_verified() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kUp, 500);
    CPPUNIT_ASSERT_EQUAL(size_t{500}, s.far.inner.size());
    for (const Bytes& packet : s.far.inner) s.far.send_plain(packet);
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{500}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{500}, counts.verified);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.corrupt() + counts.duplicates + counts.reordered);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.late + counts.other);
  }

  void faults_on_the_plain_side() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kUp, 60);
    auto& inner = s.far.inner;
    inner.push_back(inner[0]);                            // a duplicate
    std::swap(inner[1], inner[1 + kPeers]);               // overtaken by the next one of its flow
    inner[20].at(28 + kProbeBytes) ^= 1;                  // damage behind the probe
    inner[21].at(28 + 8) ^= 1;                            // the probe itself
    inner[22].at(15) ^= 1;                                // source address
    inner[23].at(19) ^= 1;                                // destination address
    inner[24].at(10) ^= 1;                                // the header's checksum
    inner.erase(inner.begin() + 30, inner.begin() + 40);  // lost
    for (const Bytes& packet : inner) s.far.send_plain(packet);
    s.far.send_plain(Bytes(60, 0x45));  // nothing of ours
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{51}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.duplicates);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.reordered);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, counts.bad_payload);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, counts.bad_address);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_checksum);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.other);
  }

  void down_and_hub_are_verified() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kDown, 120);
    for (const Bytes& frame : s.far.take_plain()) {
      const Bytes packet(frame.begin() + kEthernetBytes, frame.end());
      s.far.send_sealed(packet[19] - 2u, packet);  // 10.64.0.2 is peer 0
    }
    Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{120}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{120}, counts.verified);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.corrupt() + counts.duplicates + counts.reordered);

    s.send_round(Mode::kHub, 120);
    for (const Bytes& packet : s.far.inner) s.far.send_sealed(packet[19] - 2u, packet);
    counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{120}, counts.verified);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.corrupt());
    for (size_t i = 0; i < s.far.inner.size(); ++i) {
      CPPUNIT_ASSERT(s.far.inner[i][19] - 2u != s.far.inner_peers[i]);
    }
  }

  void faults_on_the_tunnel_side() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kDown, 60);
    std::vector<Bytes> sealed;
    for (const Bytes& frame : s.far.take_plain()) {
      Bytes packet(frame.begin() + kEthernetBytes, frame.end());
      const uint32_t peer = packet[19] - 2u;
      const size_t at = sealed.size();
      if (at == 10) packet.at(28 + kProbeBytes) ^= 1;             // changed before it was sealed
      sealed.push_back(s.far.seal(at == 11 ? 0 : peer, packet));  // to another client
    }
    sealed[12].back() ^= 1;                                  // a wrong tag
    std::swap(sealed[1], sealed[1 + kPeers]);                // reordered
    sealed.push_back(sealed[2]);                             // a duplicate
    sealed.erase(sealed.begin() + 30, sealed.begin() + 35);  // lost
    for (const Bytes& frame : sealed) s.far.send_tunnel(frame);
    s.far.send_sealed(3, {});  // a keepalive
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{56}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.duplicates);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.reordered);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_tag);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_payload);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_address);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.keepalives);
  }

  void packets_of_an_earlier_round_are_late() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kUp, 10);
    const auto old = s.far.inner;
    s.send_round(Mode::kUp, 10);
    for (const Bytes& packet : old) s.far.send_plain(packet);
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, counts.late);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.received);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TrafficTest);

}  // namespace

}  // namespace wirelay::relaygen
