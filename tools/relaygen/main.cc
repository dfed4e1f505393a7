// relaygen: a traffic generator for anything that speaks WireGuard.
#include <iostream>

#include "crypto/keys.h"
#include "tools/relaygen/commands.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/options.h"
#include "tools/relaygen/peers_command.h"

namespace {

using namespace wirelay::relaygen;

int run(const Options& options) {
  switch (options.command) {
    case Command::kHelp:
      std::cout << options.help;
      return kDone;
    case Command::kVersion:
      std::cout << "relaygen " WIRELAY_VERSION "\n";
      return kDone;
    case Command::kPeers:
      run_peers(options.peers);
      return kDone;
    default:
      return run_on_rig(options);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    wirelay::crypto::init_crypto();
    return run(parse_options({argv + 1, argv + argc}));
  } catch (const UsageError& error) {
    std::cerr << "relaygen: " << error.what() << "; see relaygen --help\n";
    return error.code();
  } catch (const Failure& error) {
    std::cerr << "relaygen: " << error.what() << '\n';
    return error.code();
  } catch (const std::exception& error) {
    std::cerr << "relaygen: " << error.what() << '\n';
    return kFailed;
  }
}
