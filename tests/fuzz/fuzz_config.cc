// Fuzzes the configuration file: any text is either refused with its problems named, or believed
// as a whole.
#include <cstdlib>

#include "crypto/keys.h"
#include "ctrl/base/problem.h"
#include "ctrl/config/config.h"
#include "tests/fuzz/target.h"
#include "tests/support/temp_dir.h"

using namespace wirelay;

namespace {

size_t believed = 0;

/// The file with a key of our own in place of the one that the examples name: without it no text
/// would be believed.
std::string with_key(const test::TempDir& dir, std::string text) {
  constexpr std::string_view kNamed = "/etc/wirelay/private.key";
  static const std::string key =
      dir.write("private.key", crypto::to_base64(crypto::generate_private_key().bytes()) + '\n');
  const size_t at = text.find(kNamed);
  return at == text.npos ? text : text.replace(at, kNamed.size(), key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (crypto::init_crypto(), true);
  static_cast<void>(started);
  static const test::TempDir dir;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string file = dir.write("relayd.json", with_key(dir, text));
  try {
    const ctrl::Config config = ctrl::load_config(file);
    if (config.ports.empty() || config.worker_cores.empty()) std::abort();
    ++believed;
  } catch (const ctrl::Refused& refused) {
    if (refused.problems.empty()) std::abort();
  }
  return 0;
}

extern "C" const char* missed_by_seeds(size_t seeds) {
  return believed == seeds ? nullptr : "the end of load_config, each of them";
}
