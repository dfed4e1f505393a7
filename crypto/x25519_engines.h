// What crypto/x25519.cc asks of each engine; only engines and their list include this.
#pragma once

#include <memory>
#include <string>

#include "crypto/x25519.h"

namespace wirelay::crypto {

/// Lane-parallel engines of crypto/lanes/: several multiplications at once.
EngineSupport ifma_x25519_support();
std::unique_ptr<X25519Engine> make_ifma_x25519_engine();
EngineSupport avx2_x25519_support();
std::unique_ptr<X25519Engine> make_avx2_x25519_engine();
/// libsodium: the reference, one at a time, runs everywhere.
EngineSupport sodium_x25519_support();
std::unique_ptr<X25519Engine> make_sodium_x25519_engine();

/// Runs `engine` through known answers, low-order points and a comparison with libsodium over
/// bursts of several sizes. Returns what went wrong; empty when all is well.
std::string self_test(const X25519Engine& engine);

/// Nanoseconds of one multiplication, in bursts of 16 points from outside. Of several runs the
/// fastest counts, for what else the machine does can only slow a run down.
double measure_cost(const X25519Engine& engine);

}  // namespace wirelay::crypto
