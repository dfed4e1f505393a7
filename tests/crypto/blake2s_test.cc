// Protects BLAKE2s, its keyed form, HMAC and the KDF: every key and every transcript hash of a
// handshake comes out of them. Expected values are RFC 7693's, BLAKE2's official known answers,
// wireguard-go's KDF answers, and Python's hashlib and hmac.
#include "crypto/blake2s.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

ConstBytes text(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

class Blake2sTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Blake2sTest);
  CPPUNIT_TEST(hash_known_answers);
  CPPUNIT_TEST(mac_known_answers);
  CPPUNIT_TEST(parts_are_concatenated);
  CPPUNIT_TEST(hmac_known_answers);
  CPPUNIT_TEST(kdf_known_answers);
  CPPUNIT_TEST(kdf_output_may_be_its_key);
  CPPUNIT_TEST_SUITE_END();

  void hash_known_answers() {
    const auto expect = [](const char* expected, ConstBytes input) {
      CPPUNIT_ASSERT_EQUAL(std::string(expected), to_hex(blake2s({input})));
    };
    expect("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982", text("abc"));
    expect("69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9", {});
    expect("e34d74dbaf4ff4c6abd871cc220451d2ea2648846c7757fbaac82fe51ad64bea", sequence(1));
    expect("e57cb79487dd57902432b250733813bd96a84efce59f650fac26e6696aefafc3", sequence(63));
    expect("56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e", sequence(64));
    expect("1b53ee94aaf34e4b159d48de352c7f0661d0a40edff95a0b1639b4090e974472", sequence(65));
    expect("f03f5789d3336b80d002d59fdf918bdb775b00956ed5528e86aa994acb38fe2d", sequence(255));
  }

  void mac_known_answers() {
    const auto expect = [](const char* expected, size_t key_bytes, size_t input_bytes) {
      const auto mac = blake2s_mac(sequence(key_bytes), {sequence(input_bytes)});
      CPPUNIT_ASSERT_EQUAL(std::string(expected), to_hex(mac));
    };
    expect("9536f9b267655743dee97b8a670f9f53", 32, 0);
    expect("13bacfb85b48a1223c595f8c1e7e82cb", 32, 1);
    expect("f1efa90d2547036841ecd3627fafbc36", 32, 64);
    expect("811ff8686d23a435ecbd0bdafcd27b1b", 32, 65);
    expect("cd075928ab7e6883e697fe7fd3ac43ee", 32, 255);
    expect("b2953795123bd6b890ef3b6fa8b9bae2", 16, 255);
    expect("a0dc2a83a1ad9a9179db4a0bd4cbaa82", 1, 255);
  }

  void parts_are_concatenated() {
    const Bytes whole = sequence(200);
    const ConstBytes all(whole);
    const std::string expected = to_hex(blake2s({all}));
    for (size_t cut = 0; cut <= all.size(); ++cut) {
      CPPUNIT_ASSERT_EQUAL(expected, to_hex(blake2s({all.first(cut), {}, all.subspan(cut)})));
    }
    CPPUNIT_ASSERT_EQUAL(to_hex(blake2s_mac(all.first(16), {all})),
                         to_hex(blake2s_mac(all.first(16), {all.first(7), all.subspan(7)})));
  }

  void hmac_known_answers() {
    const auto expect = [](const char* expected, size_t key_bytes) {
      const Bytes32 hmac = hmac_blake2s(sequence(key_bytes), {text("Hi "), text("There")});
      CPPUNIT_ASSERT_EQUAL(std::string(expected), to_hex(hmac));
    };
    expect("8a205357e88174e37af26ee43c01a5a5a5dd81e77acc7bf32a595280780a1b68", 0);
    expect("ca7a473fac7ee8359c292d1e083dc6a5bb1e48fc624f268bd574af56ecaa2262", 16);
    expect("65043ae3113da6f99a94d81b790a6a08dcddef85a14bb01d1aae2ae6d7250146", 32);
    expect("036628695ec14a79aabcd731bc688abb9aeb4ee6a2bb9adab2a34c6b31722195", 63);
    expect("87e07df092896702eaec04cab5e499fc95a555d885b1d727a1a694aebc26c941", 64);
  }

  void expect_kdf(std::string_view key, std::string_view input, const char* first,
                  const char* second, const char* third) {
    Secret a, b, c;
    kdf({&a, &b, &c}, text(key), text(input));
    CPPUNIT_ASSERT_EQUAL(std::string(first), to_hex(a.bytes()));
    CPPUNIT_ASSERT_EQUAL(std::string(second), to_hex(b.bytes()));
    CPPUNIT_ASSERT_EQUAL(std::string(third), to_hex(c.bytes()));
    // Fewer outputs are the same ones.
    Secret d, e;
    kdf({&d, &e}, text(key), text(input));
    CPPUNIT_ASSERT(d.bytes() == a.bytes() && e.bytes() == b.bytes());
    kdf({&e}, text(key), text(input));
    CPPUNIT_ASSERT(e.bytes() == a.bytes());
  }

  void kdf_known_answers() {
    expect_kdf("test-key", "test-input",
               "6f0e5ad38daba1bea8a0d213688736f19763239305e0f58aba697f9ffc41c633",
               "df1194df20802a4fe594cde27e92991c8cae66c366e8106aaa937a55fa371e8a",
               "fac6e2745a325f5dc5d11a5b165aad08b0ada28e7b4e666b7c077934a4d76c24");
    expect_kdf("wireguard", "wireguard",
               "491d43bbfdaa8750aaf535e334ecbfe5129967cd64635101c566d4caefda96e8",
               "1e71a379baefd8a79aa4662212fcafe19a23e2b609a3db7d6bcba8f560e3d25f",
               "31e1ae48bddfbe5de38f295e5452b1909a1b4e38e183926af3780b0c1e1f0160");
    expect_kdf("", "", "8387b46bf43eccfcf349552a095d8315c4055beb90208fb1be23b894bc2ed5d0",
               "58a0e5f6faefccf4807bff1f05fa8a9217945762040bcec2f4b4a62bdfe0e86e",
               "0ce6ea98ec548f8e281e93e32db65621c45eb18dc6f0a7ad94178610a2f7338e");
  }

  void kdf_output_may_be_its_key() {
    const Secret key(bytes32("65043ae3113da6f99a94d81b790a6a08dcddef85a14bb01d1aae2ae6d7250146"));
    Secret first, second;
    kdf({&first, &second}, key.bytes(), text("input"));
    Secret aliased = key, other;
    kdf({&aliased, &other}, aliased.bytes(), text("input"));
    CPPUNIT_ASSERT(aliased.bytes() == first.bytes());
    CPPUNIT_ASSERT(other.bytes() == second.bytes());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Blake2sTest);

}  // namespace wirelay::test
