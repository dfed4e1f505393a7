// Fuzzes macs and cookie replies: the input is laid over (xor) a genuine cookie reply, and taken as
// a handshake message of any length. Only the untouched reply may be believed, and no input holds a
// mac2 for a cookie that was never given out.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "crypto/cookie.h"
#include "tests/fuzz/fuzz_bytes.h"

using namespace wirelay::crypto;

namespace {

constexpr uint64_t kNow = 1000;
constexpr std::array<uint8_t, 6> kSource = {192, 0, 2, 1, 0x12, 0x34};

void try_reply(CookieJar& jar, const PublicKey& self, std::span<const uint8_t> input) {
  MacWriter writer(self);
  std::array<uint8_t, sizeof(MessageInitiation)> message{1};
  writer.write(message, kNow);
  MessageCookieReply reply = jar.reply(message, kSource, kNow);
  auto* bytes = reinterpret_cast<uint8_t*>(&reply);
  bool genuine = true;
  for (size_t i = 0; i < std::min(sizeof reply, input.size()); ++i) {
    bytes[i] ^= input[i];
    // Reserved bytes and receiver are the caller's to check.
    const bool matters = i == 0 || i >= offsetof(MessageCookieReply, nonce);
    if (matters && input[i] != 0) genuine = false;
  }
  if (writer.consume(reply, kNow) != genuine) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const PublicKey self = (init_crypto(), derive_public_key(generate_private_key()));
  static CookieJar jar(self);
  const std::span<const uint8_t> input(data, size);
  try_reply(jar, self, input);
  check_mac1(mac1_key(self), input);
  if (jar.check_mac2(input, kSource, kNow)) std::abort();
  return 0;
}
