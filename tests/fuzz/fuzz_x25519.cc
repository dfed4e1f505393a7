// Fuzzes the X25519 engines against each other: the input is scalars and points of a burst, and
// every engine must give the same products and refuse the same points.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "crypto/keys.h"
#include "crypto/x25519.h"

using namespace wirelay::crypto;

namespace {

constexpr size_t kMostJobs = 80;

std::vector<const X25519Engine*> usable_engines() {
  init_crypto();
  std::vector<const X25519Engine*> engines;
  for (const EngineInfo& info : list_x25519_engines()) {
    if (info.usable) engines.push_back(&find_x25519_engine(info.name));
  }
  return engines;
}

/// A burst made from the input, nine bytes a job: one says of what kind it is, four are repeated
/// in the scalar and four in the point, so that short inputs give many of them.
struct Cut {
  explicit Cut(std::span<const uint8_t> input) {
    const size_t count = std::min(input.size() / 9, kMostJobs);
    scalars.resize(count);
    points.resize(count);
    outs.resize(count);
    for (size_t i = 0; i < count; ++i, input = input.subspan(9)) {
      const uint8_t kind = input[0];
      for (size_t k = 0; k < 32; ++k) {
        scalars[i][k] = input[1 + k % 4];
        points[i][k] = input[5 + k % 4];
        if ((kind & 1) != 0 && k >= 4) points[i][k] = (kind & 2) != 0 ? 0xff : 0x00;
        if ((kind & 4) != 0 && k % 4 != 0) scalars[i][k] = static_cast<uint8_t>(k * kind);
      }
      jobs.push_back(
          {scalars[i].data(), kind >= 0xc0 ? nullptr : points[i].data(), outs[i].data(), false});
    }
  }
  Cut(const Cut&) = delete;
  Cut& operator=(const Cut&) = delete;

  std::vector<Bytes32> scalars, points, outs;
  std::vector<X25519Job> jobs;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto engines = usable_engines();
  const std::span<const uint8_t> input(data, size);
  Cut expected(input);
  engines.back()->multiply_burst(expected.jobs);
  for (const X25519Engine* engine : engines) {
    Cut cut(input);
    engine->multiply_burst(cut.jobs);
    if (cut.outs != expected.outs) std::abort();
    for (size_t i = 0; i < cut.jobs.size(); ++i) {
      if (cut.jobs[i].usable != expected.jobs[i].usable) std::abort();
    }
  }
  return 0;
}
