// Fuzzes the configuration file: any text is either refused with its problems named, or believed
// as a whole.
#include <cstdlib>

#include "crypto/keys.h"
#include "ctrl/config.h"
#include "ctrl/problem.h"
#include "tests/support/temp_dir.h"

using namespace wirelay;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (crypto::init_crypto(), true);
  static_cast<void>(started);
  static const test::TempDir dir;
  const std::string file = dir.write("relayd.json", {reinterpret_cast<const char*>(data), size});
  try {
    const ctrl::Config config = ctrl::load_config(file);
    if (config.ports.empty() || config.worker_cores.empty()) std::abort();
  } catch (const ctrl::Refused& refused) {
    if (refused.problems.empty()) std::abort();
  }
  return 0;
}
