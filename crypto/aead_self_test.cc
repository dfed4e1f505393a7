// What an AEAD engine must get right before it may touch a packet.
#include <algorithm>
#include <array>

#include "crypto/aead_engines.h"
#include "crypto/keys.h"

namespace wirelay::crypto {

namespace {

// Key, nonce and text of RFC 8439, appendix A.5, whose nonce happens to have our form (four zero
// bytes, then a counter). The RFC's tag covers associated data too, which transport packets have
// not: this one is over the RFC's ciphertext alone.
constexpr Bytes32 kKnownKey = {0x1c, 0x92, 0x40, 0xa5, 0xeb, 0x55, 0xd3, 0x8a, 0xf3, 0x33, 0x88,
                               0x86, 0x04, 0xf6, 0xb5, 0xf0, 0x47, 0x39, 0x17, 0xc1, 0x40, 0x2b,
                               0x80, 0x09, 0x9d, 0xca, 0x5c, 0xbc, 0x20, 0x70, 0x75, 0xc0};
constexpr uint64_t kKnownCounter = 0x0807060504030201;
constexpr std::string_view kKnownText =
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "
    "replaced, or obsoleted by other documents at any time. It is inappropriate to use "
    "Internet-Drafts as reference material or to cite them other than as "
    "/\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
constexpr std::array<uint8_t, kTagBytes> kKnownTag = {
    0x6e, 0x35, 0x70, 0xb1, 0xac, 0xaa, 0xf1, 0xf2, 0x4f, 0x2a, 0x64, 0x4f, 0x01, 0xac, 0xd1, 0x2b};

// Around the block sizes of Poly1305 (16), ChaCha20 (64), and of code that works on 2, 4, 8 and 16
// ChaCha20 blocks at a time; then what tunnels carry.
constexpr std::array<uint32_t, 28> kLengths = {0,   1,   15,  16,   17,   31,   63,   64,  65,  127,
                                               128, 129, 191, 192,  255,  256,  257,  511, 512, 513,
                                               767, 768, 769, 1023, 1024, 1025, 1420, 8921};

using Bytes = std::vector<uint8_t>;

std::string test_known_answer(AeadEngine& engine) {
  Bytes bytes(kKnownText.begin(), kKnownText.end());
  bytes.resize(kKnownText.size() + kTagBytes);
  AeadPacket packet{kKnownKey.data(), kKnownCounter, bytes.data(),
                    static_cast<uint32_t>(kKnownText.size()), false};
  engine.seal_burst({&packet, 1});
  if (!std::equal(kKnownTag.begin(), kKnownTag.end(), bytes.end() - kTagBytes)) {
    return "wrong tag for the known answer";
  }
  engine.open_burst({&packet, 1});
  if (!packet.authentic) return "known answer refused";
  if (!std::equal(kKnownText.begin(), kKnownText.end(), bytes.begin(),
                  [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; })) {
    return "known answer opened to another text";
  }
  return {};
}

/// One packet of every length; texts, keys and counters differ.
struct Sample {
  explicit Sample(const std::array<Bytes32, kLengths.size()>& keys) {
    for (size_t i = 0; i < kLengths.size(); ++i) {
      buffers[i].resize(kLengths[i] + kTagBytes);
      for (size_t k = 0; k < kLengths[i]; ++k) buffers[i][k] = static_cast<uint8_t>(k * 7 + i);
      packets[i] = {keys[i].data(), i << 33 | i, buffers[i].data(), kLengths[i], false};
    }
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  std::array<Bytes, kLengths.size()> buffers;
  std::array<AeadPacket, kLengths.size()> packets{};
};

std::array<Bytes32, kLengths.size()> make_keys() {
  std::array<Bytes32, kLengths.size()> keys{};
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t k = 0; k < keys[i].size(); ++k) keys[i][k] = static_cast<uint8_t>(k * 13 + i * 5);
  }
  return keys;
}

std::string at_length(const char* what, uint32_t length) {
  return what + std::string(" at ") + std::to_string(length) + " bytes";
}

std::string test_against_reference(AeadEngine& engine) {
  const auto keys = make_keys();
  const Sample plain(keys);
  Sample sealed(keys), expected(keys);
  engine.seal_burst(sealed.packets);
  make_sodium_engine()->seal_burst(expected.packets);
  for (size_t i = 0; i < kLengths.size(); ++i) {
    if (sealed.buffers[i] != expected.buffers[i]) {
      return at_length("sealed unlike libsodium", kLengths[i]);
    }
  }
  engine.open_burst(sealed.packets);
  for (size_t i = 0; i < kLengths.size(); ++i) {
    if (!sealed.packets[i].authentic) return at_length("own packet refused", kLengths[i]);
    if (!std::equal(plain.buffers[i].begin(), plain.buffers[i].end() - kTagBytes,
                    sealed.buffers[i].begin())) {
      return at_length("opened to another text", kLengths[i]);
    }
  }
  return {};
}

/// Every second packet gets one wrong bit in its tag, a different one each: these alone must fail.
std::string test_forgeries(AeadEngine& engine) {
  const auto keys = make_keys();
  Sample sealed(keys);
  engine.seal_burst(sealed.packets);
  for (size_t i = 0; i < kLengths.size(); i += 2) {
    sealed.buffers[i][kLengths[i] + i % kTagBytes] ^= static_cast<uint8_t>(1u << i % 8);
  }
  engine.open_burst(sealed.packets);
  for (size_t i = 0; i < kLengths.size(); ++i) {
    const bool forged = i % 2 == 0;
    if (sealed.packets[i].authentic == forged) {
      return at_length(forged ? "forged tag accepted" : "genuine packet among forged ones refused",
                       kLengths[i]);
    }
  }
  return {};
}

}  // namespace

std::string self_test(AeadEngine& engine) {
  std::string fault = test_known_answer(engine);
  if (fault.empty()) fault = test_against_reference(engine);
  if (fault.empty()) fault = test_forgeries(engine);
  return fault;
}

}  // namespace wirelay::crypto
