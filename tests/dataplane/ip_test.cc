// Protects the text forms of addresses, which configuration and API rely on (what is refused as
// much as what is taken), and the rule that IPv4 and IPv6 never match each other.
#include "dataplane/ip.h"

#include <random>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/dataplane/named.h"

namespace wirelay::dataplane {

namespace {

class IpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IpTest);
  CPPUNIT_TEST(addresses_keep_their_text);
  CPPUNIT_TEST(bad_addresses_are_refused);
  CPPUNIT_TEST(prefixes_lose_host_bits);
  CPPUNIT_TEST(bad_prefixes_are_refused);
  CPPUNIT_TEST(endpoints_keep_their_text);
  CPPUNIT_TEST(bad_endpoints_are_refused);
  CPPUNIT_TEST(masks_equal_bit_by_bit);
  CPPUNIT_TEST(contains_and_overlaps);
  CPPUNIT_TEST(families_stay_apart);
  CPPUNIT_TEST(kinds_of_addresses);
  CPPUNIT_TEST_SUITE_END();

  void addresses_keep_their_text() {
    for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
                             "fe80::1:2:3:4", "1:2:3:4:5:6:7:8"}) {
      CPPUNIT_ASSERT_EQUAL(std::string(text), to_string(ip_of(text)));
    }
    CPPUNIT_ASSERT(ip_of("10.0.0.1").is_v4());
    CPPUNIT_ASSERT(!ip_of("::1").is_v4());
    CPPUNIT_ASSERT_EQUAL(htonl(0x0a000001), ip_of("10.0.0.1").v4_be());
  }

  void bad_addresses_are_refused() {
    for (const char* text :
         {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", " 1.2.3.4", "1.2.3.4 ", "::g",
          ":::", "1:2:3:4:5:6:7:8:9", "::ffff:1.2.3.4", "::ffff:102:304", "fe80::1%eth0",
          "example.com", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !parse_ip(text));
    }
    CPPUNIT_ASSERT(!parse_ip(std::string_view("1.2.3.4\0", 8)));
  }

  void prefixes_lose_host_bits() {
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.2.0/24"), to_string(prefix_of("10.1.2.3/24")));
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.2.3/32"), to_string(prefix_of("10.1.2.3")));
    CPPUNIT_ASSERT_EQUAL(std::string("0.0.0.0/0"), to_string(prefix_of("255.1.2.3/0")));
    CPPUNIT_ASSERT_EQUAL(std::string("2001:db8::/33"), to_string(prefix_of("2001:db8:7fff::1/33")));
    CPPUNIT_ASSERT_EQUAL(std::string("::/0"), to_string(prefix_of("2001:db8::/0")));
    CPPUNIT_ASSERT_EQUAL(std::string("::1/128"), to_string(prefix_of("::1")));
    CPPUNIT_ASSERT_EQUAL(120, int{prefix_of("10.1.2.0/24").length});
  }

  void bad_prefixes_are_refused() {
    for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                             "10.0.0.0/+1", "10.0.0.0/8 ", "10.0.0.0/8/8", "::/129", "::/1x",
                             "10.0.0.0/99999999999", "::ffff:0:0/96", "::ffff:1.2.3.4/64"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !parse_prefix(text));
    }
  }

  void endpoints_keep_their_text() {
    for (const char* text : {"192.0.2.1:51820", "[2001:db8::1]:65535", "[::1]:1"}) {
      CPPUNIT_ASSERT_EQUAL(std::string(text), to_string(parse_endpoint(text).value()));
    }
  }

  void bad_endpoints_are_refused() {
    for (const char* text : {"", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
                             "192.0.2.1:x", "[192.0.2.1]:1", "::1:51820", "[::1]",
                             "[::1]:", "[::1:1", "::1]:1", "[]:1", ":1", "example.com:1"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !parse_endpoint(text));
    }
  }

  void masks_equal_bit_by_bit() {
    std::mt19937_64 random(1);
    for (unsigned length = 0; length <= 128; ++length) {
      IpAddr addr;
      for (uint8_t& byte : addr.bytes) byte = static_cast<uint8_t>(random());
      IpAddr expected = addr;
      for (unsigned bit = length; bit < 128; ++bit) {
        expected.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> bit % 8));
      }
      CPPUNIT_ASSERT(expected == mask_to(addr, static_cast<uint8_t>(length)));
    }
  }

  void contains_and_overlaps() {
    const Prefix wide = prefix_of("10.0.0.0/8"), narrow = prefix_of("10.9.0.0/16");
    CPPUNIT_ASSERT(wide.contains(ip_of("10.255.0.1")));
    CPPUNIT_ASSERT(!wide.contains(ip_of("11.0.0.1")));
    CPPUNIT_ASSERT(wide.overlaps(narrow) && narrow.overlaps(wide) && wide.overlaps(wide));
    CPPUNIT_ASSERT(!narrow.overlaps(prefix_of("10.8.0.0/16")));
    CPPUNIT_ASSERT(prefix_of("2001:db8::/32").overlaps(prefix_of("2001:db8::1")));
    CPPUNIT_ASSERT(!prefix_of("2001:db8::/32").overlaps(prefix_of("2001:db9::1")));
  }

  void families_stay_apart() {
    const Prefix all4 = prefix_of("0.0.0.0/0"), all6 = prefix_of("::/0");
    CPPUNIT_ASSERT(all4.is_v4() && !all6.is_v4());
    CPPUNIT_ASSERT(!all6.contains(ip_of("1.2.3.4")) && !all4.contains(ip_of("::1")));
    CPPUNIT_ASSERT(!all6.overlaps(all4) && !all4.overlaps(all6));
    CPPUNIT_ASSERT(!all6.overlaps(prefix_of("10.0.0.0/8")));
  }

  void kinds_of_addresses() {
    for (const char* text : {"0.0.0.0", "::"}) CPPUNIT_ASSERT(ip_of(text).is_unspecified());
    for (const char* text : {"0.0.0.1", "::1", "127.0.0.1"}) {
      CPPUNIT_ASSERT(!ip_of(text).is_unspecified());
    }
    for (const char* text : {"224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"}) {
      CPPUNIT_ASSERT_MESSAGE(text, ip_of(text).is_multicast());
    }
    for (const char* text : {"223.255.255.255", "240.0.0.1", "255.255.255.254", "fe80::1"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !ip_of(text).is_multicast());
    }
    for (const char* text : {"169.254.0.1", "fe80::1", "febf::1"}) {
      CPPUNIT_ASSERT_MESSAGE(text, ip_of(text).is_link_local());
    }
    for (const char* text : {"169.253.0.1", "fec0::1", "2001:db8::1"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !ip_of(text).is_link_local());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IpTest);

}  // namespace

}  // namespace wirelay::dataplane
