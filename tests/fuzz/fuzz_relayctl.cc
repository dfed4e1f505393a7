// Fuzzes relayctl's reading of replies. The first byte chooses a command, a letter from 'a' on; the
// rest is all that the relay says to it. Whatever that is: the command ends with an exit code of
// its own and, unless it is done, a line that says why; nothing that drives a terminal is printed;
// and a private key that relayctl has made comes out.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.h"
#include "crypto/keys.h"
#include "tests/fuzz/target.h"
#include "tests/support/scripted_relay.h"
#include "tests/support/temp_dir.h"

using namespace wirelay;

namespace {

constexpr size_t kLongest = 65536;  // what a socket takes in before anybody reads
constexpr std::array<std::string_view, 16> kCommands = {
    "status",
    "stats",
    "drops",
    "reload",
    "export -",
    "user add alice",
    "user add --file -",
    "user show alice",
    "user list",
    "user list --json",
    "user remove alice --json",
    "peer show phone",
    "peer list --names",
    "peer list",
    "peer config phone",
    "peer add phone --user alice --allowed-ips 10.77.0.2/32 --generate"};
constexpr std::string_view kUsers = R"({"users": [{"name": "alice"}, {"name": "bob"}]})";

/// How commands ended, over all inputs.
std::array<bool, kCommands.size()> done{};
bool refused = false, unreachable = false;

void must(bool holds) {
  if (!holds) std::abort();
}

bool drives_a_terminal(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }

struct Ended {
  int code;
  std::string out, err;
};

Ended run(std::string_view command, const std::string& socket) {
  std::istringstream words{std::string(command)};
  std::vector<std::string> all{std::istream_iterator<std::string>(words), {}};
  all.insert(all.end(), {"--socket", socket});
  std::istringstream in{std::string(kUsers)};
  std::ostringstream out, err;
  const int code = cli::run(all, {in, out, err});
  return {code, out.str(), err.str()};
}

void note(size_t command, int code) {
  if (code == cli::kDone) done.at(command) = true;
  if (code == cli::kRefused) refused = true;
  if (code == cli::kUnreachable) unreachable = true;
}

test::ScriptedRelay& relay() {
  static const test::TempDir folder;
  static test::ScriptedRelay instance(folder.path("relay.sock"));
  return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (crypto::init_crypto(), true);
  static_cast<void>(started);
  if (size == 0 || size > kLongest) return 0;
  const size_t command = static_cast<uint8_t>(data[0] - 'a') % kCommands.size();
  relay().say(std::string(data + 1, data + size));
  const Ended ended = run(kCommands.at(command), relay().path());
  must(ended.code == cli::kDone || ended.code == cli::kRefused || ended.code == cli::kUnreachable);
  must(ended.code == cli::kDone || ended.err.starts_with("relayctl: "));
  must(std::ranges::none_of(ended.out, drives_a_terminal));
  must(std::ranges::none_of(ended.err, drives_a_terminal));
  if (kCommands.at(command).ends_with("--generate") && ended.code != cli::kRefused)
    must(ended.out.find("\nPrivateKey = ") != std::string::npos);
  note(command, ended.code);
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  const auto missed = std::ranges::find(done, false);
  if (missed != done.end()) return kCommands.at(static_cast<size_t>(missed - done.begin())).data();
  if (!refused) return "a refusal";
  return unreachable ? nullptr : "a reply that makes no sense";
}
