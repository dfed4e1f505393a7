// See small_bursts.h.
#include "crypto/lanes/small_bursts.h"

#include "crypto/aead_engines.h"

namespace wirelay::crypto::lanes {

std::unique_ptr<AeadEngine> make_small_burst_engine() {
  return ipsec_mb_support().usable ? make_ipsec_mb_engine() : make_sodium_engine();
}

std::string small_burst_text(size_t packets) {
  const char* engine = ipsec_mb_support().usable ? "ipsec-mb" : "libsodium";
  return "bursts below " + std::to_string(packets) + " packets by " + engine;
}

}  // namespace wirelay::crypto::lanes
