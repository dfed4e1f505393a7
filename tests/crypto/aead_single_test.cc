// Protects the AEAD of handshakes and cookies: RFC 8439's and Wycheproof's answers for
// ChaCha20-Poly1305 and XChaCha20-Poly1305 with associated data. The burst engines are tested
// against this one.
#include "crypto/aead_single.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

template <size_t Size>
std::array<uint8_t, Size> nonce_from(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  CPPUNIT_ASSERT_EQUAL(Size, bytes.size());
  std::array<uint8_t, Size> nonce{};
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return nonce;
}

/// Seals and opens one vector with the given functions; `valid`: open must accept it.
template <typename Nonce, typename Seal, typename Open>
void run_vector(const Json::Value& test, Seal seal, Open open) {
  const std::string id = "tcId " + test["tcId"].asString();
  const Bytes key = from_hex(test["key"].asString());
  const Bytes aad = from_hex(test["aad"].asString());
  const Bytes text = from_hex(test["msg"].asString());
  const std::string expected = test["ct"].asString() + test["tag"].asString();
  const auto nonce = nonce_from<std::tuple_size_v<Nonce>>(test["iv"].asString());
  const bool valid = test["result"].asString() != "invalid";
  Bytes sealed(text.size() + 16), opened(text.size());
  seal(sealed, text, aad, nonce, key.data());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(id, valid, expected == to_hex(sealed));
  const bool accepted = open(opened, from_hex(expected), aad, nonce, key.data());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(id, valid, accepted);
  if (valid) CPPUNIT_ASSERT_EQUAL_MESSAGE(id, to_hex(text), to_hex(opened));
}

}  // namespace

class AeadSingleTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AeadSingleTest);
  CPPUNIT_TEST(rfc_8439_section_2_8_2);
  CPPUNIT_TEST(rfc_8439_appendix_a_5);
  CPPUNIT_TEST(xchacha_draft_appendix_a_3);
  CPPUNIT_TEST(wycheproof_chacha);
  CPPUNIT_TEST(wycheproof_xchacha);
  CPPUNIT_TEST_SUITE_END();

  static constexpr std::string_view kSunscreen =
      "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20496620"
      "4920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c"
      "2073756e73637265656e20776f756c642062652069742e";

  void rfc_8439_section_2_8_2() {
    const Bytes32 key = bytes32("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const Bytes text = from_hex(kSunscreen);
    Bytes sealed(text.size() + 16);
    aead_seal(sealed, text, from_hex("50515253c0c1c2c3c4c5c6c7"),
              nonce_from<12>("070000004041424344454647"), key.data());
    CPPUNIT_ASSERT_EQUAL(
        std::string("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
                    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
                    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"),
        to_hex(sealed));
  }

  void rfc_8439_appendix_a_5() {
    const Bytes32 key = bytes32("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
    const Bytes sealed = from_hex(
        "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e"
        "382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd"
        "60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c76"
        "7b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a"
        "0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a67276"
        "27097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b0270"
        "9beead9d67890cbb22392336fea1851f38");
    Bytes text(sealed.size() - 16);
    CPPUNIT_ASSERT(aead_open(text, sealed, from_hex("f33388860000000000004e91"),
                             nonce_from<12>("000000000102030405060708"), key.data()));
    const std::string_view start = "Internet-Drafts are draft documents valid for";
    CPPUNIT_ASSERT_EQUAL(to_hex({reinterpret_cast<const uint8_t*>(start.data()), start.size()}),
                         to_hex(std::span(text).first(start.size())));
  }

  void xchacha_draft_appendix_a_3() {
    const Bytes32 key = bytes32("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const Bytes text = from_hex(kSunscreen);
    Bytes sealed(text.size() + 16);
    xaead_seal(sealed, text, from_hex("50515253c0c1c2c3c4c5c6c7"),
               nonce_from<24>("404142434445464748494a4b4c4d4e4f5051525354555657"), key.data());
    CPPUNIT_ASSERT_EQUAL(
        std::string("bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                    "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49"),
        to_hex(sealed));
  }

  void wycheproof_chacha() {
    for_each_wycheproof("chacha20_poly1305_test.json", 96, [](const Json::Value& test) {
      run_vector<Nonce96>(test, aead_seal, aead_open);
    });
  }

  void wycheproof_xchacha() {
    for_each_wycheproof("xchacha20_poly1305_test.json", 192, [](const Json::Value& test) {
      run_vector<Nonce192>(test, xaead_seal, xaead_open);
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadSingleTest);

}  // namespace wirelay::test
