// ChaCha20-Poly1305 over bursts of packets (RFC 8439; WireGuard paper, section 5.4.6).
//
// One interface, several engines. A data path thread owns one engine: engines keep scratch state
// and are not shared between threads. Transport packets carry no associated data; the handshake,
// which does, uses crypto/noise.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/engine_info.h"

namespace wirelay::crypto {

inline constexpr uint32_t kKeyBytes = 32;
inline constexpr uint32_t kTagBytes = 16;

/// One packet of a burst, worked on in place. The memory stays the caller's and holds
/// `length` bytes of text followed by kTagBytes bytes of tag; an engine touches nothing else.
struct AeadPacket {
  const uint8_t* key;  // 32 bytes
  uint64_t counter;    // the nonce is four zero bytes, then this counter, little-endian
  uint8_t* text;       // any alignment
  uint32_t length;     // bytes of text, 0 is valid (a keepalive)
  bool authentic;      // out, open_burst only: the tag was right
};

class AeadEngine {
 public:
  virtual ~AeadEngine() = default;

  /// The name that configuration and status use, such as "ipsec-mb".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// Encrypts every text and writes its tag behind it. Any number of packets, distinct memory.
  virtual void seal_burst(std::span<AeadPacket> packets) noexcept = 0;

  /// Sets `authentic` for every packet, comparing tags in constant time; tags stay as they are. The
  /// text of a packet that is not authentic is unspecified afterwards and must not be used.
  virtual void open_burst(std::span<AeadPacket> packets) noexcept = 0;
};

/// All engines that this build knows, each after its self-test (RFC 8439 vectors and a comparison
/// with the reference engine). Takes some milliseconds; control thread, at start.
std::vector<EngineInfo> list_engines();

/// The engine for `wanted`: a name of list_engines(), or "auto" for the fastest of the usable ones,
/// judged by a calibration of some milliseconds over small, middle and large packets. Throws
/// std::runtime_error with what was wanted and what exists when it is unknown or unusable here.
EngineInfo choose_engine(std::string_view wanted);

/// A new engine for one thread; `name` as choose_engine() returned it.
std::unique_ptr<AeadEngine> make_engine(std::string_view name);

}  // namespace wirelay::crypto
