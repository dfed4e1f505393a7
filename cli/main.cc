// relayctl: the operator's command.
#include <iostream>

#include "cli/cli.h"
#include "crypto/keys.h"

int main(int argc, char** argv) {
  try {
    wirelay::crypto::init_crypto();
  } catch (const std::exception& error) {
    std::cerr << "relayctl: " << error.what() << '\n';
    return wirelay::cli::kRefused;
  }
  std::ios::sync_with_stdio(false);  // stdio's streams would take an error in reading for the end
  return wirelay::cli::run({argv + 1, argv + argc}, {std::cin, std::cout, std::cerr});
}
