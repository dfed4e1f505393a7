// How much of the code a fuzz target has reached: basic blocks, where the build counts them.
#pragma once

#include <cstddef>

namespace wirelay::test {

/// Whether what runs from now on counts.
void count_places(bool on);

/// Different basic blocks that ran while they counted; 0 in a build that doesn't tell
/// (meson.build: the sanitized one does).
size_t places_reached();

}  // namespace wirelay::test
