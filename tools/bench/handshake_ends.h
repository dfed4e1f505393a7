// Both ends of handshakes, at any step, for bench_handshake.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "crypto/cookie.h"
#include "crypto/keys.h"
#include "crypto/noise.h"

namespace wirelay::bench {

inline constexpr uint64_t kSecond = 100;  // monotonic; all happens at once

template <typename T>
std::span<uint8_t> bytes_of(T& message) {
  return {reinterpret_cast<uint8_t*>(&message), sizeof message};
}

/// Throws std::logic_error.
void must(bool holds);

inline constexpr size_t kTogether = crypto::kHandshakesAtOnce;

/// Many clients and one relay, each with what it knows of the other.
struct Ends {
  struct Client {
    crypto::Identity self = crypto::make_identity(crypto::generate_private_key());
    crypto::RemoteIdentity of_client, of_relay;
    std::optional<crypto::MacWriter> to_relay, to_client;
    crypto::Bytes32 mac1{};
    crypto::HandshakeState initiated;
    crypto::MessageInitiation initiation{};
    crypto::MessageResponse response{};
  };

  Ends();
  /// The first half of the first `count` initiators. Only what is kept can be finished.
  void initiate(size_t count, bool keep);
  /// The responder's part, each time for the same initiations, as the worker, the control thread
  /// and those that compute answers do it.
  void respond(size_t count);
  /// The initiators' second half, of the first handshakes, which stay open for the next time.
  void finish(size_t count);

  crypto::Identity relay = crypto::make_identity(crypto::generate_private_key());
  crypto::Bytes32 relay_mac1 = crypto::mac1_key(relay.public_key);
  std::array<Client, kTogether> clients;
  crypto::PublicKey public_key = clients[0].self.public_key;
  crypto::Secret preshared = crypto::generate_preshared_key();
};

}  // namespace wirelay::bench
