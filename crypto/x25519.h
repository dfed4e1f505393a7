// X25519 (RFC 7748) over bursts of multiplications, which do not depend on each other: handshakes
// are made of little else. One multiplication alone is crypto/keys.h's.
//
// One interface, several engines, as for AEAD (crypto/aead.h); they keep nothing between bursts, so
// that all threads use the same one. docs/handshakes.md tells how they work.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/engine_info.h"

namespace wirelay::crypto {

/// One multiplication of a burst; all pointers are to 32 bytes of the caller's, of which `out` lies
/// apart from everything else in the burst.
struct X25519Job {
  const uint8_t* scalar;  // clamped when it is used
  const uint8_t* point;   // null: the base point, which makes a public key
  uint8_t* out;
  bool usable;  // out: false when `out` is all zeros (a low-order point); it must be refused then
};

class X25519Engine {
 public:
  virtual ~X25519Engine() = default;

  /// The name that status and benchmarks use, such as "libsodium".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// Any number of them. Any thread; constant time but for how many there are of which kind.
  virtual void multiply_burst(std::span<X25519Job> jobs) const noexcept = 0;
};

/// All engines that this build knows, each after its self-test (RFC 7748 vectors, low-order points,
/// a comparison with libsodium); the last is libsodium. Takes a few milliseconds.
std::vector<EngineInfo> list_x25519_engines();
/// Throws std::runtime_error for a name that list_x25519_engines() does not have.
const X25519Engine& find_x25519_engine(std::string_view name);
/// In the environment: the name of the engine that is wanted, whatever is fastest.
inline constexpr char kX25519EngineVariable[] = "WIRELAY_X25519_ENGINE";
/// That one, or the fastest of the usable ones by a calibration of a few milliseconds, the first
/// time; with the figures of all. The same for the whole process. Throws std::runtime_error when
/// the one that is wanted cannot be had.
const EngineInfo& chosen_x25519_engine();

/// Another engine in its place from now on, by name, for benchmarks; while no other thread is
/// there.
void use_x25519_engine(std::string_view name);

/// By the engine that was chosen.
void x25519_burst(std::span<X25519Job> jobs) noexcept;

}  // namespace wirelay::crypto
