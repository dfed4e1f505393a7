// Protects: the wide checksum is the one of RFC 1071 at all lengths, wherever the bytes lie.
#include "dataplane/net/sum.h"

#include <cppunit/extensions/HelperMacros.h>

#include <rte_ip.h>

#include "dataplane/net/checksum.h"
#include "tests/support/packets.h"

namespace wirelay::dataplane {

class SumTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SumTest);
  CPPUNIT_TEST(is_that_of_the_bytes);
  CPPUNIT_TEST(carries_are_not_lost);
  CPPUNIT_TEST_SUITE_END();

 public:
  void is_that_of_the_bytes() {
    const test::Bytes bytes = test::pattern(9300, 7);
    for (size_t at = 0; at < 70; ++at) {
      for (size_t n = 0; n < 400; ++n) check(bytes, at, n);
      for (const size_t n : {1419, 1420, 1452, 9000, 9216}) check(bytes, at, n);
    }
  }

  void carries_are_not_lost() {
    const test::Bytes bytes(9216, 0xff);
    for (size_t n = 0; n < bytes.size(); ++n) check(bytes, 0, n);
  }

 private:
  static void check(const test::Bytes& bytes, size_t at, size_t n) {
    CPPUNIT_ASSERT_EQUAL(rte_raw_cksum(&bytes[at], n), fold_sum(sum_of(&bytes[at], n)));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SumTest);

}  // namespace wirelay::dataplane
