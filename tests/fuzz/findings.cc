// A target with findings, one for each word that an input may be: what standalone_test.py sees of
// the bounded run.
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/target.h"

namespace {

bool missed = false;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view word(reinterpret_cast<const char*>(data), size);
  if (word == "property") std::abort();
  if (word == "memory") return data[size];
  volatile unsigned bits = 99;
  if (word == "arithmetic") bits = 1u << bits;
  if (word == "miss") missed = true;
  // No seed: only what the run makes of a seed ends so.
  if (word.starts_with("made") && word != "made") std::abort();
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) { return missed ? "their target" : nullptr; }
