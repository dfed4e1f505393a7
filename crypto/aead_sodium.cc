// The reference engine: libsodium, one packet at a time.
#include <sodium.h>

#include "crypto/aead_engines.h"

namespace wirelay::crypto {

namespace {

class SodiumEngine final : public AeadEngine {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "libsodium"; }

  void seal_burst(std::span<AeadPacket> packets) noexcept override {
    uint8_t nonce[12];
    for (const AeadPacket& packet : packets) {
      write_nonce(nonce, packet.counter);
      crypto_aead_chacha20poly1305_ietf_encrypt_detached(packet.text, packet.text + packet.length,
                                                         nullptr, packet.text, packet.length,
                                                         nullptr, 0, nullptr, nonce, packet.key);
    }
  }

  void open_burst(std::span<AeadPacket> packets) noexcept override {
    uint8_t nonce[12];
    for (AeadPacket& packet : packets) {
      write_nonce(nonce, packet.counter);
      packet.authentic = crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                             packet.text, nullptr, packet.text, packet.length,
                             packet.text + packet.length, nullptr, 0, nonce, packet.key) == 0;
    }
  }
};

}  // namespace

EngineSupport sodium_support() { return {true, "runs on every CPU"}; }

std::unique_ptr<AeadEngine> make_sodium_engine() { return std::make_unique<SodiumEngine>(); }

}  // namespace wirelay::crypto
