// Counting basic blocks: with -fsanitize-coverage=trace-pc each of them calls the function below.
// All programs of such a build are linked with it; the fuzz targets' alone count.
#include "tests/fuzz/reached.h"

#include <array>
#include <bit>
#include <cstdint>

/// The program's first byte: the linker's.
extern "C" const char __executable_start[];

extern "C" void __sanitizer_cov_trace_pc();

namespace {

constexpr size_t kMostBytes = size_t{64} << 20;  // of code; what lies behind doesn't count

bool counting = false;
std::array<uint64_t, kMostBytes / 64> places;  // a bit for each byte at which a block may begin

}  // namespace

void __sanitizer_cov_trace_pc() {
  if (!counting) return;
  const auto* const at = static_cast<const char*>(__builtin_return_address(0));
  const auto offset = static_cast<size_t>(at - __executable_start);
  if (offset < kMostBytes) places[offset / 64] |= uint64_t{1} << offset % 64;
}

namespace wirelay::test {

void count_places(bool on) { counting = on; }

size_t places_reached() {
  size_t count = 0;
  for (const uint64_t word : places) count += static_cast<size_t>(std::popcount(word));
  return count;
}

}  // namespace wirelay::test
