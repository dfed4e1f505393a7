// Fuzzes the text form of keys: whatever is accepted is exactly what we would write.
#include <cstdlib>

#include "crypto/keys.h"

using namespace wirelay::crypto;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (init_crypto(), true);
  static_cast<void>(started);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto key = parse_base64_key(text);
  if (key && to_base64(*key) != text) std::abort();
  return 0;
}
