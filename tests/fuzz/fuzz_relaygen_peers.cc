// Fuzzes relaygen's peers file: it is either refused with its line named, or what is read of it is
// written as a file that says the same.
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys.h"
#include "tests/fuzz/target.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/peers_file.h"

using namespace wirelay;
using namespace wirelay::relaygen;

namespace {

size_t believed = 0;

std::string written(const std::vector<Identity>& peers) {
  std::ostringstream out;
  write_peers(out, peers);
  return out.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (crypto::init_crypto(), true);
  static_cast<void>(started);
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  try {
    const std::vector<Identity> peers = read_peers(in);
    if (peers.empty() || count_users(peers) > peers.size()) std::abort();
    for (const Identity& peer : peers) {
      if (peer.user.empty() || peer.name.empty() || peer.addresses.empty()) std::abort();
    }
    if (peers_of_first_users(peers, 1) == 0) std::abort();
    const std::string text = written(peers);
    std::istringstream again(text);
    if (written(read_peers(again)) != text) std::abort();  // and it is not refused
    ++believed;
  } catch (const Failure& failure) {
    const std::string_view said = failure.what();
    if (!said.starts_with("line ") && said != "it holds no peers") std::abort();
  }
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  return believed == 0 ? "the end of read_peers" : nullptr;
}
