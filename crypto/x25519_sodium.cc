// The reference engine: libsodium, one multiplication at a time.
#include <cstring>

#include <sodium.h>

#include "crypto/x25519_engines.h"

namespace wirelay::crypto {

namespace {

class SodiumX25519Engine final : public X25519Engine {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "libsodium"; }

  void multiply_burst(std::span<X25519Job> jobs) const noexcept override {
    for (X25519Job& job : jobs) {
      job.usable = (job.point == nullptr ? crypto_scalarmult_base(job.out, job.scalar)
                                         : crypto_scalarmult(job.out, job.scalar, job.point)) == 0;
      if (!job.usable) std::memset(job.out, 0, crypto_scalarmult_BYTES);
    }
  }
};

}  // namespace

EngineSupport sodium_x25519_support() { return {true, "runs on every CPU"}; }

std::unique_ptr<X25519Engine> make_sodium_x25519_engine() {
  return std::make_unique<SodiumX25519Engine>();
}

}  // namespace wirelay::crypto
