// Fuzzes the handshake: the input is laid over (xor) a genuine initiation or response, or taken as
// the whole message, so that the fuzzer starts beside what is accepted. Any change to what the
// handshake authenticates must be refused; nothing may crash.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "tests/crypto/noise_vectors.h"
#include "tests/fuzz/fuzz_bytes.h"

using namespace wirelay;
using namespace wirelay::crypto;
using namespace wirelay::test;

namespace {

/// Header and sender index (8 bytes) and the macs are not Noise's to authenticate.
constexpr size_t kSenderEnd = 8;

struct Fixture {
  Identity initiator = make_identity(Secret(hex_array<32>(noise_vectors::kInitiatorPrivate)));
  Identity responder = make_identity(Secret(hex_array<32>(noise_vectors::kResponderPrivate)));
  Secret preshared{hex_array<32>(noise_vectors::kPresharedKey)};
  RemoteIdentity to_responder = make_remote(initiator, responder.public_key, preshared).value();
  RemoteIdentity to_initiator = make_remote(responder, initiator.public_key, preshared).value();
  std::array<uint8_t, sizeof(MessageInitiation)> initiation =
      hex_array<sizeof(MessageInitiation)>(noise_vectors::kInitiation);
  std::array<uint8_t, sizeof(MessageResponse)> response =
      hex_array<sizeof(MessageResponse)>(noise_vectors::kResponse);
  HandshakeState state;

  Fixture() {
    state.chaining_key = Secret(hex_array<32>(noise_vectors::kChainingKeyAfterInitiation));
    state.hash = hex_array<32>(noise_vectors::kHashAfterInitiation);
    state.ephemeral = Secret(hex_array<32>(noise_vectors::kInitiatorEphemeral));
    state.local_index = 0x12345678;
  }
};

template <typename Message, size_t Size>
Message overlay(const std::array<uint8_t, Size>& genuine, std::span<const uint8_t> input,
                bool whole) {
  std::array<uint8_t, Size> bytes = genuine;
  for (size_t i = 0; i < std::min(Size, input.size()); ++i) {
    bytes[i] = static_cast<uint8_t>(whole ? input[i] : bytes[i] ^ input[i]);
  }
  Message message;
  static_assert(sizeof message == Size);
  std::memcpy(&message, bytes.data(), Size);
  return message;
}

/// Whether what Noise authenticates of `message` is the genuine message's.
template <typename Message, size_t Size>
bool is_genuine(const Message& message, const std::array<uint8_t, Size>& genuine) {
  const size_t length = offsetof(Message, macs) - kSenderEnd;
  return std::memcmp(reinterpret_cast<const uint8_t*>(&message) + kSenderEnd,
                     genuine.data() + kSenderEnd, length) == 0;
}

void try_initiation(const Fixture& fixture, std::span<const uint8_t> input, bool whole) {
  const auto message = overlay<MessageInitiation>(fixture.initiation, input, whole);
  const bool plausible = message.header.type == 1 && message.header.reserved[0] == 0 &&
                         message.header.reserved[1] == 0 && message.header.reserved[2] == 0;
  auto opened = open_initiation(fixture.responder, message);
  const bool accepted =
      opened && authenticate_initiation(*opened, fixture.to_initiator, message).has_value();
  if (accepted != (plausible && is_genuine(message, fixture.initiation))) std::abort();
}

void try_response(const Fixture& fixture, std::span<const uint8_t> input, bool whole) {
  const auto message = overlay<MessageResponse>(fixture.response, input, whole);
  HandshakeState state = fixture.state;
  const auto keys = consume_response(fixture.initiator, fixture.to_responder, state, message);
  if (keys && !is_genuine(message, fixture.response)) std::abort();
  if (!keys && state.hash != fixture.state.hash) std::abort();  // refused: nothing may change
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Fixture fixture = (init_crypto(), Fixture());
  if (size == 0) return 0;
  const std::span<const uint8_t> input(data + 1, size - 1);
  const bool whole = (data[0] & 2) != 0;
  if ((data[0] & 1) == 0) {
    try_initiation(fixture, input, whole);
  } else {
    try_response(fixture, input, whole);
  }
  check_mac1(mac1_key(fixture.responder.public_key), input);
  return 0;
}
