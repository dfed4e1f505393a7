// What a fuzz target defines.
#pragma once

#include <cstddef>
#include <cstdint>

/// As libFuzzer has it. Aborts when a property does not hold.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

/// Where a target has it, the bounded run asks after its seeds, each run as it is: what they should
/// have reached and did not, or null. A target that refuses all that it gets at its door proves
/// nothing.
extern "C" [[gnu::weak]] const char* missed_by_seeds(size_t seeds);
