// Protects keys: X25519 gives RFC 7748's answers and refuses low-order points (a peer with such a
// key would share a secret known to all), the text form is the one `wg` writes and nothing else,
// and secrets do not outlive their object.
#include "crypto/keys.h"

#include <cstring>
#include <new>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

class KeysTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KeysTest);
  CPPUNIT_TEST(x25519_known_answers);
  CPPUNIT_TEST(x25519_iterated);
  CPPUNIT_TEST(x25519_exchange);
  CPPUNIT_TEST(x25519_refuses_low_order);
  CPPUNIT_TEST(x25519_wycheproof);
  CPPUNIT_TEST(generated_keys);
  CPPUNIT_TEST(base64_round_trip);
  CPPUNIT_TEST(base64_refuses);
  CPPUNIT_TEST(equality);
  CPPUNIT_TEST(secrets_are_wiped);
  CPPUNIT_TEST_SUITE_END();

  static std::string multiply(std::string_view scalar, std::string_view point) {
    Secret out;
    CPPUNIT_ASSERT(x25519(out, Secret(bytes32(scalar)), bytes32(point)));
    return to_hex(out.bytes());
  }

  void x25519_known_answers() {  // RFC 7748, section 5.2
    CPPUNIT_ASSERT_EQUAL(
        std::string("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
        multiply("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                 "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
        multiply("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                 "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"));
  }

  void x25519_iterated() {  // RFC 7748, section 5.2, after 1 and 1,000 rounds
    Secret k, u, next;
    k.data()[0] = u.data()[0] = 9;
    for (int round = 1; round <= 1000; ++round) {
      CPPUNIT_ASSERT(x25519(next, k, u.bytes()));
      u = k;
      k = next;
      if (round == 1) {
        CPPUNIT_ASSERT_EQUAL(
            std::string("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
            to_hex(k.bytes()));
      }
    }
    CPPUNIT_ASSERT_EQUAL(
        std::string("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
        to_hex(k.bytes()));
  }

  void x25519_exchange() {  // RFC 7748, section 6.1
    const Secret alice(bytes32("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
    const Secret bob(bytes32("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
        to_hex(derive_public_key(alice)));
    CPPUNIT_ASSERT_EQUAL(
        std::string("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
        to_hex(derive_public_key(bob)));
    const std::string shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    CPPUNIT_ASSERT_EQUAL(shared, multiply(to_hex(alice.bytes()), to_hex(derive_public_key(bob))));
    CPPUNIT_ASSERT_EQUAL(shared, multiply(to_hex(bob.bytes()), to_hex(derive_public_key(alice))));
  }

  void x25519_refuses_low_order() {
    const char* points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",  // 0
        "0100000000000000000000000000000000000000000000000000000000000000",  // 1
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",  // order 8
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",  // order 8
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p - 1
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 1
    };
    for (const char* hex : points) {
      for (const uint8_t top_bit : {0x00, 0x80}) {  // ignored by X25519
        PublicKey point = bytes32(hex);
        point[31] |= top_bit;
        Secret out = generate_private_key();
        CPPUNIT_ASSERT(!x25519(out, generate_private_key(), point));
        CPPUNIT_ASSERT(out.is_zero());
      }
    }
  }

  void x25519_wycheproof() {
    for_each_wycheproof("x25519_test.json", 0, [](const Json::Value& test) {
      const std::string shared = test["shared"].asString();
      const bool low_order = shared.find_first_not_of('0') == std::string::npos;
      Secret out;
      const bool accepted = x25519(out, Secret(bytes32(test["private"].asString())),
                                   bytes32(test["public"].asString()));
      const std::string id = "tcId " + test["tcId"].asString();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(id, !low_order, accepted);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(id, shared, to_hex(out.bytes()));
    });
  }

  void generated_keys() {
    const Secret a = generate_private_key(), b = generate_private_key();
    CPPUNIT_ASSERT(a.bytes() != b.bytes());
    for (int round = 0; round < 64; ++round) {
      const Secret key = generate_private_key();
      CPPUNIT_ASSERT_EQUAL(0, key.bytes()[0] & 7);
      CPPUNIT_ASSERT_EQUAL(64, key.bytes()[31] & 192);
    }
    Secret ab, ba;
    CPPUNIT_ASSERT(x25519(ab, a, derive_public_key(b)) && x25519(ba, b, derive_public_key(a)));
    CPPUNIT_ASSERT(ab.bytes() == ba.bytes());
    CPPUNIT_ASSERT(generate_preshared_key().bytes() != generate_preshared_key().bytes());
  }

  void base64_round_trip() {
    Random random(1);
    for (int round = 0; round < 256; ++round) {
      Bytes32 key;
      fill_random(key, random);
      const std::string text = to_base64(key);
      CPPUNIT_ASSERT_EQUAL(size_t{44}, text.size());
      const auto parsed = parse_base64_key(text);
      CPPUNIT_ASSERT(parsed && *parsed == key);
    }
    const Bytes32 known =
        bytes32("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    CPPUNIT_ASSERT_EQUAL(std::string("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="),
                         to_base64(known));
  }

  void base64_refuses() {
    const std::string good = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
    CPPUNIT_ASSERT(parse_base64_key(good));
    CPPUNIT_ASSERT(!parse_base64_key(""));
    CPPUNIT_ASSERT(!parse_base64_key(good.substr(0, 43)));
    CPPUNIT_ASSERT(!parse_base64_key(good + "="));
    CPPUNIT_ASSERT(!parse_base64_key(good + "\n"));
    CPPUNIT_ASSERT(!parse_base64_key(" " + good.substr(0, 43)));
    CPPUNIT_ASSERT(!parse_base64_key(good.substr(0, 42) + "=="));  // 31 bytes
    CPPUNIT_ASSERT(!parse_base64_key(good.substr(0, 43) + "A"));   // 33 bytes
    CPPUNIT_ASSERT(!parse_base64_key(good.substr(0, 42) + "p="));  // bits beyond the key
    for (size_t i = 0; i < 44; ++i) {
      for (const char bad : {'=', ' ', '-', '_', '\0', '\n', '\x80', '*'}) {
        if (i == 43 && bad == '=') continue;
        std::string text = good;
        text[i] = bad;
        CPPUNIT_ASSERT_MESSAGE("at " + std::to_string(i), !parse_base64_key(text));
      }
    }
  }

  void equality() {
    const Bytes a = sequence(40);
    CPPUNIT_ASSERT(equal(a, sequence(40)));
    CPPUNIT_ASSERT(equal({}, {}));
    CPPUNIT_ASSERT(!equal(a, sequence(39)));
    for (size_t bit = 0; bit < a.size() * 8; ++bit) {
      Bytes b = a;
      b[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      CPPUNIT_ASSERT(!equal(a, b));
    }
  }

  void secrets_are_wiped() {
    alignas(Secret) std::array<uint8_t, sizeof(Secret)> memory{};
    memory.fill(0xff);
    Secret* secret = new (memory.data()) Secret(bytes32(to_hex(Bytes(32, 0xab))));
    CPPUNIT_ASSERT_EQUAL(to_hex(Bytes(32, 0xab)), to_hex(memory));
    secret->~Secret();
    CPPUNIT_ASSERT_EQUAL(to_hex(Bytes(32, 0)), to_hex(memory));
    Secret cleared(bytes32(to_hex(Bytes(32, 0xab))));
    CPPUNIT_ASSERT(!cleared.is_zero());
    cleared.clear();
    CPPUNIT_ASSERT(cleared.is_zero());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KeysTest);

}  // namespace wirelay::test
