// What a layer's test program needs before its first test: libsodium, and for the layers above
// crypto an EAL without huge pages. Each layer links its own implementation.
#pragma once

namespace wirelay::test {

void start_environment(const char* program);
void stop_environment();

}  // namespace wirelay::test
