// bench_aead: what an AEAD engine costs a packet, beside the engine that it is to beat, in one run.
//
//   bench_aead [--json] [--brief] [--sizes 0,64,...,IMIX] [--batch 1,8,...] [--rounds N]
//              [ENGINE ...]                                       default: all usable engines
//
// Cycles are those of the time-stamp counter. The engines of a pair take turns in every round, so
// that what else the machine does hits both; a ratio is taken in each round, and of rounds the
// median counts, with the quartiles as spread. Each packet of a batch has its own key.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <x86intrin.h>

#include "crypto/aead.h"
#include "crypto/aead_engines.h"
#include "crypto/keys.h"
#include "tools/bench/measure.h"
#include "tools/bench/program.h"
#include "tools/relaygen/progress.h"

using namespace wirelay;
using namespace wirelay::bench;
using namespace wirelay::crypto;

namespace po = boost::program_options;

namespace {

constexpr size_t kBurstsPerSample = 16;
constexpr int kSamplesPerRound = 5;  // the fastest of them is the round's figure
constexpr size_t kStride = 2176;     // from packet to packet at least, as mbufs of default size lie
constexpr size_t kOffset = 58;       // of the text in a cache line behind headroom and headers
constexpr uint32_t kLongest = 65535;

struct Options : CommonOptions {
  std::string sizes = "0,64,128,256,576,1024,1420,9000,IMIX", batches = "1,8,32,64";
  int rounds = 21;
  std::vector<std::string> engines;
};

/// From packet to packet, in whole cache lines.
size_t stride_of(const Mix& mix) {
  const size_t bytes = std::ranges::max(mix.lengths) + kTagBytes + kOffset;
  return std::max(kStride, (bytes + 63) / 64 * 64);
}

/// The packets of a mix; sealed and opened in bursts of `batch`, of which there is a whole number.
struct Traffic {
  Traffic(const Mix& mix, size_t at_once)
      : batch(at_once), memory(mix.lengths.size() * stride_of(mix) + 64), keys(mix.lengths.size()) {
    std::mt19937_64 random(2);
    const size_t stride = stride_of(mix);
    for (size_t i = 0; i < keys.size(); ++i) {
      for (uint8_t& byte : keys[i]) byte = static_cast<uint8_t>(random());
      packets.push_back(
          {keys[i].data(), i, memory.data() + i * stride + kOffset, mix.lengths[i], false});
    }
  }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  [[nodiscard]] size_t bursts() const { return packets.size() / batch; }
  std::span<AeadPacket> burst(size_t i) { return {&packets[i % bursts() * batch], batch}; }

  const size_t batch;
  std::vector<uint8_t> memory;
  std::vector<Bytes32> keys;
  std::vector<AeadPacket> packets;
};

/// Cycles a packet. Opening works on what is there: engines do the same work whether or not it is
/// authentic.
double measure(AeadEngine& engine, Traffic& traffic, bool open) {
  const size_t bursts = std::max(kBurstsPerSample, traffic.bursts());
  double best = INFINITY;
  for (int sample = 0; sample < kSamplesPerRound; ++sample) {
    const uint64_t begin = __rdtsc();
    for (size_t i = 0; i < bursts; ++i) {
      if (open) {
        engine.open_burst(traffic.burst(i));
      } else {
        engine.seal_burst(traffic.burst(i));
      }
    }
    const auto passed = static_cast<double>(__rdtsc() - begin);
    best = std::min(best, passed / static_cast<double>(bursts * traffic.batch));
  }
  return best;
}

struct Result {
  Quartiles cycles, baseline_cycles, ratio;  // ratio: baseline / engine, above 1 is faster
};

Result compare(AeadEngine& engine, AeadEngine& baseline, Traffic& traffic, bool open, int rounds) {
  std::vector<double> cycles, baseline_cycles, ratio;
  for (int round = 0; round < rounds; ++round) {
    cycles.push_back(measure(engine, traffic, open));
    baseline_cycles.push_back(measure(baseline, traffic, open));
    ratio.push_back(baseline_cycles.back() / cycles.back());
  }
  return {quartiles_of(cycles), quartiles_of(baseline_cycles), quartiles_of(ratio)};
}

/// What an engine is compared with: ipsec-mb, held to the same instructions.
std::unique_ptr<AeadEngine> make_baseline(const std::string& engine, std::string& name) {
  if (engine == "avx2") {
    name = "ipsec-mb held to AVX2";
    return make_ipsec_mb_avx2_engine();
  }
  name = "ipsec-mb";
  return make_ipsec_mb_engine();
}

void print_row(const Mix& mix, bool open, const Result& result) {
  std::printf("%5s %-4s  %7.0f  %7.0f   %5.2f  %5.2f to %5.2f\n", mix.name.c_str(),
              open ? "open" : "seal", result.cycles.median, result.baseline_cycles.median,
              result.ratio.median, result.ratio.low, result.ratio.high);
}

Json::Value to_json(const Mix& mix, bool open, const Result& result) {
  Json::Value row;
  row["traffic"] = mix.name;
  row["direction"] = open ? "open" : "seal";
  row["cycles"] = bench::to_json(result.cycles);
  row["baseline_cycles"] = bench::to_json(result.baseline_cycles);
  row["ratio"] = bench::to_json(result.ratio);
  return row;
}

/// One engine in batches of one size.
Json::Value run_engine(const std::string& name, uint32_t batch, const Options& options,
                       relaygen::Progress& progress) {
  std::string baseline_name;
  const auto engine = make_engine(name);
  const auto baseline = make_baseline(name, baseline_name);
  if (!options.json) {
    progress.clear();
    std::printf(
        "\n%s against %s, batches of %u\nbytes         cycles     base   ratio  quartiles\n",
        name.c_str(), baseline_name.c_str(), batch);
  }
  Json::Value report;
  report["engine"] = name;
  report["baseline"] = baseline_name;
  report["batch"] = batch;
  for (const std::string& size : words_of(options.sizes)) {
    // A mix is whole in several small bursts.
    const Mix mix = make_mix(size, size == "IMIX" ? (99 + batch) / batch * batch : batch);
    Traffic traffic(mix, batch);
    for (const bool open : {false, true}) {
      progress.show(name + ", batches of " + std::to_string(batch) + ", " + size + " bytes");
      const Result result = compare(*engine, *baseline, traffic, open, options.rounds);
      report["rows"].append(to_json(mix, open, result));
      progress.clear();
      if (!options.json) print_row(mix, open, result);
    }
  }
  return report;
}

Options parse(int argc, char** argv) {
  Options o;
  auto all = describe_options("bench_aead: what an AEAD engine costs a packet", o);
  auto add = all.add_options();
  add("sizes", po::value(&o.sizes)->default_value(o.sizes), "bytes, or IMIX");
  add("batch", po::value(&o.batches)->default_value(o.batches), "packets at once, each with a key");
  add("rounds", po::value(&o.rounds)->default_value(o.rounds), "that medians are taken of");
  add("engine", po::value(&o.engines), "may be given as plain arguments");
  po::positional_options_description plain;
  plain.add("engine", -1);
  parse_options(argc, argv, all, plain);
  if (o.brief) {
    o.sizes = "0,64,IMIX";
    o.batches = "1,32";
    o.rounds = 3;
  }
  if (o.rounds < 1) throw std::invalid_argument("at least one round");
  for (const std::string& size : words_of(o.sizes)) {
    if (std::ranges::max(make_mix(size, 1).lengths) > kLongest) {
      throw std::invalid_argument("a packet has at most 65,535 bytes");
    }
  }
  for (const uint32_t batch : numbers_of(o.batches)) {
    if (batch < 1 || batch > 1024) throw std::invalid_argument("a batch is 1 to 1,024 packets");
  }
  return o;
}

int run(const Options& options) {
  init_crypto();
  relaygen::Progress progress;
  Json::Value report;
  report["benchmark"] = "bench_aead";
  report["unit"] = "TSC cycles a packet";
  report["machine"] = describe_machine();
  report["parameters"]["rounds"] = options.rounds;
  for (const EngineInfo& info : list_engines()) {
    if (!options.engines.empty() && std::ranges::count(options.engines, info.name) == 0) continue;
    if (!info.usable) {
      std::cerr << info.name << ": " << info.reason << '\n';
      continue;
    }
    for (const uint32_t batch : numbers_of(options.batches)) {
      report["engines"].append(run_engine(info.name, batch, options, progress));
    }
  }
  if (options.json) print_json(report);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("bench_aead", [&] { return run(parse(argc, argv)); });
}
