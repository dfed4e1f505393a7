// Protects: IPFIX messages are as RFC 7011 has them, byte by byte, with a template before any
// record and again every minute, sequence numbers that count records, and no message longer than a
// path takes.
#include "ctrl/nat/ipfix.h"

#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/packets.h"

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kSecond = 1'000'000'000, kNoon = 1'800'000'000 * kSecond;

dataplane::NatBlockRecord a_block(bool given) {
  return {given, 7,    test::addr("198.51.100.64").v4_be(),
          1024,  1535, test::addr("10.77.0.2").v4_be()};
}

uint64_t number_at(const std::vector<uint8_t>& message, size_t at, size_t bytes) {
  uint64_t n = 0;
  for (size_t i = 0; i < bytes; ++i) n = n << 8 | message.at(at + i);
  return n;
}

}  // namespace

class IpfixTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IpfixTest);
  CPPUNIT_TEST(a_record_byte_by_byte);
  CPPUNIT_TEST(templates_come_again);
  CPPUNIT_TEST(messages_have_an_end);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_record_byte_by_byte() {
    IpfixMessages messages(5);
    CPPUNIT_ASSERT(messages.add(a_block(true), "alice", kNoon + kSecond / 4));
    const auto message = messages.take(kNoon + kSecond);
    // 16 of the header, 36 of the template, 4 + 22 + 5 of the set.
    CPPUNIT_ASSERT_EQUAL(size_t{83}, message.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, number_at(message, 0, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{83}, number_at(message, 2, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1'800'000'001}, number_at(message, 4, 4));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, number_at(message, 8, 4));
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, number_at(message, 12, 4));
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, number_at(message, 16, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{36}, number_at(message, 18, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{256}, number_at(message, 20, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{7}, number_at(message, 22, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{230}, number_at(message, 28, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{256}, number_at(message, 52, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{31}, number_at(message, 54, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1'800'000'000'250}, number_at(message, 56, 8));
    CPPUNIT_ASSERT_EQUAL(uint64_t{16}, number_at(message, 64, 1));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0x0a4d0002}, number_at(message, 65, 4));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0xc6336440}, number_at(message, 69, 4));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1024}, number_at(message, 73, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1535}, number_at(message, 75, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, number_at(message, 77, 1));
    CPPUNIT_ASSERT(std::string(message.begin() + 78, message.end()) == "alice");
    CPPUNIT_ASSERT(messages.take(kNoon + kSecond).empty());
  }

  void templates_come_again() {
    IpfixMessages messages(5);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("alone", size_t{52}, messages.take(kNoon).size());
    messages.add(a_block(true), "alice", kNoon);
    messages.add(a_block(false), "alice", kNoon);
    const auto without = messages.take(kNoon + 59 * kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{256}, number_at(without, 16, 2));
    CPPUNIT_ASSERT_EQUAL(uint64_t{17}, number_at(without, 20 + 27 + 8, 1));
    const auto with = messages.take(kNoon + 60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, number_at(with, 16, 2));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("records before", uint64_t{2}, number_at(with, 8, 4));
  }

  void messages_have_an_end() {
    IpfixMessages messages(5);
    unsigned count = 0;
    while (messages.add(a_block(true), "a-user-with-a-name", kNoon)) ++count;
    CPPUNIT_ASSERT(count > 20);
    const auto message = messages.take(kNoon);
    CPPUNIT_ASSERT(message.size() <= IpfixMessages::kMostBytes);
    CPPUNIT_ASSERT(message.size() > IpfixMessages::kMostBytes - 60);
    CPPUNIT_ASSERT(messages.add(a_block(true), std::string(500, 'x'), kNoon));
    CPPUNIT_ASSERT(messages.take(kNoon).size() < 400);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IpfixTest);

}  // namespace wirelay::ctrl
