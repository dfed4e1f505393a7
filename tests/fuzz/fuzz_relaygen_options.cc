// Fuzzes relaygen's command line, an argument a line: it is either refused with a reason, or what
// is believed is within the bounds that the help names.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/target.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/options.h"

using namespace wirelay;
using namespace wirelay::relaygen;

namespace {

size_t believed = 0;

bool within(double value, double least, double greatest) {
  return value >= least && value <= greatest;
}

void check(const TrafficOptions& traffic) {
  if (traffic.modes.empty() || traffic.sizes.empty()) std::abort();
  for (const SizeMix& mix : traffic.sizes) {
    double shares = 0;
    for (const SizeMix::Part& part : mix.parts()) {
      if (!within(part.bytes, SizeMix::kMinSize, SizeMix::kMaxSize)) std::abort();
      if (!within(part.share, 0, 1)) std::abort();
      shares += part.share;
    }
    if (!within(shares, 0.999, 1.001)) std::abort();
  }
  if (traffic.rate && !within(traffic.rate->value, 1e-300, 1e12)) std::abort();
  if (!within(traffic.duration, 0.01, 86400) || !within(traffic.drain, 0.001, 10)) std::abort();
}

void check(const Options& options) {
  switch (options.command) {
    case Command::kHelp:
      if (options.help.empty()) std::abort();
      return;
    case Command::kVersion:
      return;
    case Command::kPeers:
      if (!within(options.peers.count, 1, 1e6) || options.peers.out.empty()) std::abort();
      return;
    case Command::kStorm:
      if (!within(options.storm.unknown, 0, 1)) std::abort();
      if (options.storm.offer && !within(*options.storm.offer, 1e-300, 1e12)) std::abort();
      [[fallthrough]];
    case Command::kRun:
    case Command::kSearch:
    case Command::kLatency:
      check(options.traffic);
      [[fallthrough]];
    case Command::kHandshakes:
    case Command::kReceive:
      if (options.peers_file.empty() || options.tunnel.device.empty()) std::abort();
      if (options.tunnel.addresses.empty()) std::abort();
      if (!within(options.handshake.window, 1, 65536)) std::abort();
  }
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    lines.emplace_back(text.substr(0, end));
  }
  if (!text.empty()) lines.emplace_back(text);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const Options options = parse_options(lines_of({reinterpret_cast<const char*>(data), size}));
    check(options);
    ++believed;
  } catch (const UsageError& error) {
    if (std::string_view(error.what()).empty()) std::abort();
  }
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  return believed == 0 ? "the end of parse_options" : nullptr;
}
