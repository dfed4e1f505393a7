// What is known of an engine, for AEAD (crypto/aead.h) or X25519 (crypto/x25519.h), on this
// machine.
#pragma once

#include <string>

namespace wirelay::crypto {

/// Whether an engine can run on this CPU, and why or why not.
struct EngineSupport {
  bool usable = false;
  std::string reason;
};

/// The same for those who choose; `reason` may also say why it was chosen.
struct EngineInfo {
  std::string name;
  bool usable = false;
  std::string reason;
};

}  // namespace wirelay::crypto
