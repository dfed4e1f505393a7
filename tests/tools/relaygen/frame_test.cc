// Protects the packets that are made: headers that other machines take, read back as they were
// written, and anything malformed left alone.
#include "tools/relaygen/frame.h"

#include <cstring>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_ip.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"
#include "tools/relaygen/neighbour.h"

namespace wirelay::relaygen {

namespace {

dataplane::IpAddr ip(const char* text) { return dataplane::parse_ip(text).value(); }

const FlowEnds kEnds4{ip("10.64.0.2"), ip("192.0.2.1")};
const FlowEnds kEnds6{ip("fd77::2"), ip("2001:db8::1")};
const Probe kProbe{.flow = 0xabcdef,
                   .sequence = 0xfedcba98,
                   .index = 0x123456,
                   .round = 0x9a,
                   .stamp = 0x76543210};

std::vector<uint8_t> inner(const FlowEnds& ends, uint32_t bytes) {
  std::vector<uint8_t> packet(bytes + 16);  // with padding
  write_inner(packet.data(), ends, kProbe, bytes);
  return packet;
}

class FrameTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FrameTest);
  CPPUNIT_TEST(inner_packets_are_read_back);
  CPPUNIT_TEST(checksums_are_right);
  CPPUNIT_TEST(wrong_checksums_are_seen);
  CPPUNIT_TEST(pattern_shifts_with_the_sequence);
  CPPUNIT_TEST(malformed_packets_are_left_alone);
  CPPUNIT_TEST(questions_are_answered_and_learned);
  CPPUNIT_TEST_SUITE_END();

  void inner_packets_are_read_back() {
    for (const FlowEnds& ends : {kEnds4, kEnds6}) {
      for (const uint32_t bytes : {64u, 65u, 576u, 1420u, 9000u}) {
        const auto packet = inner(ends, bytes);
        const auto read = read_udp(packet);
        CPPUNIT_ASSERT(read);
        CPPUNIT_ASSERT(read->from.addr == ends.source && read->to.addr == ends.destination);
        CPPUNIT_ASSERT_EQUAL(bytes, read->ip_bytes);
        const auto probe = read_probe(read->payload);
        CPPUNIT_ASSERT(probe);
        CPPUNIT_ASSERT_EQUAL(kProbe.flow, probe->flow);
        CPPUNIT_ASSERT_EQUAL(kProbe.sequence, probe->sequence);
        CPPUNIT_ASSERT_EQUAL(kProbe.index, probe->index);
        CPPUNIT_ASSERT_EQUAL(kProbe.round, probe->round);
        CPPUNIT_ASSERT_EQUAL(kProbe.stamp, probe->stamp);
      }
    }
  }

  void checksums_are_right() {
    const auto packet4 = inner(kEnds4, 576);
    CPPUNIT_ASSERT(dataplane::ipv4_checksum_ok(packet4.data()));
    const auto packet6 = inner(kEnds6, 577);
    rte_ipv6_hdr header;
    std::memcpy(&header, packet6.data(), sizeof header);
    // Over a packet with the right checksum in it the sum is 0, which UDP writes as 0xffff.
    const uint16_t sum = rte_ipv6_udptcp_cksum(&header, packet6.data() + kIpv6Bytes);
    CPPUNIT_ASSERT_EQUAL(uint16_t{0xffff}, sum);
  }

  void wrong_checksums_are_seen() {
    for (const FlowEnds& ends : {kEnds4, kEnds6}) {
      const bool v4 = ends.source.is_v4();
      const auto good = inner(ends, 101);
      CPPUNIT_ASSERT(checksums_right(read_udp(good).value()));
      auto changed = good;
      changed[v4 ? 10 : kIpv6Bytes + 6] ^= 1;  // the header's own, and UDP's
      CPPUNIT_ASSERT(!checksums_right(read_udp(changed).value()));
      changed = good;
      changed[v4 ? 8 : 100] ^= 1;  // what they are over
      CPPUNIT_ASSERT(!checksums_right(read_udp(changed).value()));
    }
    auto invented = inner(kEnds4, 101);
    invented[kIpv4Bytes + 7] = 1;  // UDP had none
    CPPUNIT_ASSERT(!checksums_right(read_udp(invented).value()));
  }

  void pattern_shifts_with_the_sequence() {
    CPPUNIT_ASSERT(std::memcmp(pattern_of(1), pattern_of(2), 64) != 0);
    CPPUNIT_ASSERT(pattern_of(1) + 1 == pattern_of(2));
    CPPUNIT_ASSERT(pattern_of(0) == pattern_of(64));
  }

  void malformed_packets_are_left_alone() {
    for (const FlowEnds& ends : {kEnds4, kEnds6}) {
      const bool v4 = ends.source.is_v4();
      const auto good = inner(ends, 100);
      for (size_t bytes = 0; bytes < 100; ++bytes) {
        CPPUNIT_ASSERT(!read_udp({good.data(), bytes}));
      }
      auto changed = good;
      changed[v4 ? 9 : 6] = 6;  // TCP
      CPPUNIT_ASSERT(!read_udp(changed));
      changed = good;
      changed[ip_bytes(v4) + 5] ^= 1;  // UDP length
      CPPUNIT_ASSERT(!read_udp(changed));
      changed = good;
      changed[0] = 0x46;  // options
      CPPUNIT_ASSERT(!read_udp(changed));
    }
    auto fragment = inner(kEnds4, 100);
    fragment[6] = 0x20;
    CPPUNIT_ASSERT(!read_udp(fragment));
    CPPUNIT_ASSERT(!read_probe(std::vector<uint8_t>(16).data()));
  }

  void questions_are_answered_and_learned() {
    const rte_ether_addr ours{{2, 0, 0, 0, 0, 1}}, theirs{{2, 0, 0, 0, 0, 2}};
    for (const auto& [self, target] :
         {std::pair("192.0.2.1", "192.0.2.2"), std::pair("2001:db8::1", "2001:db8::2")}) {
      const Frame question = make_question(ours, ip(self), ip(target));
      const auto owner = [&, target = target](const dataplane::IpAddr& addr) {
        return addr == ip(target);
      };
      CPPUNIT_ASSERT(!make_answer(theirs, question, [](const auto&) { return false; }));
      const auto answer = make_answer(theirs, question, owner);
      CPPUNIT_ASSERT(answer);
      CPPUNIT_ASSERT(!read_answer(question));
      const auto learned = read_answer(*answer);
      CPPUNIT_ASSERT(learned);
      CPPUNIT_ASSERT(learned->first == ip(target));
      CPPUNIT_ASSERT(rte_is_same_ether_addr(&learned->second, &theirs) != 0);
      for (size_t bytes = 0; bytes < 42; ++bytes) {
        CPPUNIT_ASSERT(!read_answer({answer->data(), bytes}));
        CPPUNIT_ASSERT(!make_answer(theirs, {question.data(), bytes}, owner));
      }
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FrameTest);

}  // namespace

}  // namespace wirelay::relaygen
