// The environment of the crypto tests: libsodium, nothing else.
#include "crypto/keys.h"
#include "tests/support/test_environment.h"

namespace wirelay::test {

void start_environment(const char*) { crypto::init_crypto(); }
void stop_environment() {}

}  // namespace wirelay::test
