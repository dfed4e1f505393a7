// What crypto/aead.cc asks of each engine; only engines and their list include this.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "crypto/aead.h"

namespace wirelay::crypto {

/// Lane-parallel engines of crypto/lanes/: blocks of all packets of a burst at once.
EngineSupport avx512_support();
std::unique_ptr<AeadEngine> make_avx512_engine();
EngineSupport avx2_support();
std::unique_ptr<AeadEngine> make_avx2_engine();

/// Intel's ipsec-mb: one packet at a time, with the widest code that the library has for this CPU.
EngineSupport ipsec_mb_support();
/// Throws std::runtime_error when the library cannot be started.
std::unique_ptr<AeadEngine> make_ipsec_mb_engine();
/// The same held to AVX2, which the CPU must have: what benchmarks compare the engine "avx2" with.
std::unique_ptr<AeadEngine> make_ipsec_mb_avx2_engine();

/// libsodium: the reference, runs everywhere.
EngineSupport sodium_support();
std::unique_ptr<AeadEngine> make_sodium_engine();

/// Runs `engine` through a known answer, a comparison with libsodium over lengths around every
/// block size, and forged tags. Returns what went wrong; empty when all is well.
std::string self_test(AeadEngine& engine);

/// Writes the nonce of a transport packet: four zero bytes, then the counter, little-endian.
inline void write_nonce(uint8_t (&nonce)[12], uint64_t counter) noexcept {
  std::memset(nonce, 0, 4);
  std::memcpy(nonce + 4, &counter, sizeof counter);
}

/// Compares two tags in constant time.
inline bool tags_equal(const uint8_t* a, const uint8_t* b) noexcept {
  uint64_t x[2], y[2];
  std::memcpy(x, a, kTagBytes);
  std::memcpy(y, b, kTagBytes);
  return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

}  // namespace wirelay::crypto
