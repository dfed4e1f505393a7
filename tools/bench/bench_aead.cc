// bench_aead: what an AEAD engine costs a packet, beside the engine that it is to beat, in one run.
//
//   bench_aead [--json] [--batch N] [--rounds N] [ENGINE ...]
//
// Cycles are those of the time-stamp counter. The engines of a pair take turns in every round, so
// that what else the machine does hits both; a ratio is taken in each round, and of rounds the
// median counts, with the quartiles as spread. Each packet of a batch has its own key.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <json/json.h>
#include <x86intrin.h>

#include "crypto/aead.h"
#include "crypto/aead_engines.h"
#include "crypto/keys.h"

using namespace wirelay::crypto;

namespace {

constexpr int kBurstsPerSample = 16;
constexpr int kSamplesPerRound = 5;  // the fastest of them is the round's figure
constexpr size_t kStride = 2176;     // from packet to packet, as mbufs of default size lie
constexpr size_t kOffset = 58;       // of the text in a cache line behind headroom and headers

struct Options {
  bool json = false;
  size_t batch = 32;
  int rounds = 21;
  std::vector<std::string> engines;
};

/// A traffic: its name and the length of each packet of the batch.
struct Mix {
  std::string name;
  std::vector<uint32_t> lengths;
};

/// 58 % of 64 bytes, 33 % of 576, 8 % of 1,420, in random order.
Mix imix(size_t batch) {
  Mix mix{"IMIX", {}};
  for (size_t i = 0; i < batch; ++i) {
    const size_t place = i * 100 / batch;
    mix.lengths.push_back(place < 58 ? 64 : place < 91 ? 576 : 1420);
  }
  std::shuffle(mix.lengths.begin(), mix.lengths.end(), std::mt19937_64(1));
  return mix;
}

std::vector<Mix> all_mixes(size_t batch) {
  std::vector<Mix> mixes;
  for (const uint32_t length : {64u, 128u, 256u, 576u, 1024u, 1420u}) {
    mixes.push_back({std::to_string(length), std::vector<uint32_t>(batch, length)});
  }
  mixes.push_back(imix(batch));
  return mixes;
}

struct Burst {
  explicit Burst(const Mix& mix)
      : memory(mix.lengths.size() * kStride + 64), keys(mix.lengths.size()) {
    std::mt19937_64 random(2);
    for (size_t i = 0; i < keys.size(); ++i) {
      for (uint8_t& byte : keys[i]) byte = static_cast<uint8_t>(random());
      packets.push_back(
          {keys[i].data(), i, memory.data() + i * kStride + kOffset, mix.lengths[i], false});
    }
  }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  std::vector<uint8_t> memory;
  std::vector<Bytes32> keys;
  std::vector<AeadPacket> packets;
};

/// Cycles a packet. Opening works on what is there: engines do the same work whether or not it is
/// authentic.
double measure(AeadEngine& engine, Burst& burst, bool open) {
  double best = INFINITY;
  for (int sample = 0; sample < kSamplesPerRound; ++sample) {
    const uint64_t begin = __rdtsc();
    for (int i = 0; i < kBurstsPerSample; ++i) {
      if (open) {
        engine.open_burst(burst.packets);
      } else {
        engine.seal_burst(burst.packets);
      }
    }
    const auto passed = static_cast<double>(__rdtsc() - begin);
    best = std::min(best, passed / (kBurstsPerSample * static_cast<double>(burst.packets.size())));
  }
  return best;
}

struct Quartiles {
  double low, median, high;
};

Quartiles quartiles_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values[values.size() / 4], values[values.size() / 2], values[values.size() * 3 / 4]};
}

struct Result {
  Quartiles cycles, baseline_cycles, ratio;  // ratio: baseline / engine, above 1 is faster
};

Result compare(AeadEngine& engine, AeadEngine& baseline, Burst& burst, bool open, int rounds) {
  std::vector<double> cycles, baseline_cycles, ratio;
  for (int round = 0; round < rounds; ++round) {
    cycles.push_back(measure(engine, burst, open));
    baseline_cycles.push_back(measure(baseline, burst, open));
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

Json::Value to_json(const Quartiles& quartiles) {
  Json::Value value;
  value["low"] = quartiles.low;
  value["median"] = quartiles.median;
  value["high"] = quartiles.high;
  return value;
}

void print_row(const Mix& mix, bool open, const Result& result) {
  std::printf("%5s %-4s  %7.0f  %7.0f   %5.2f  %5.2f to %5.2f\n", mix.name.c_str(),
              open ? "open" : "seal", result.cycles.median, result.baseline_cycles.median,
              result.ratio.median, result.ratio.low, result.ratio.high);
}

Json::Value run_engine(const std::string& name, const Options& options) {
  std::string baseline_name;
  const auto engine = make_engine(name);
  const auto baseline = make_baseline(name, baseline_name);
  if (!options.json) {
    std::printf(
        "\n%s against %s, batches of %zu\nbytes         cycles     base   ratio  quartiles\n",
        name.c_str(), baseline_name.c_str(), options.batch);
  }
  Json::Value report;
  report["engine"] = name;
  report["baseline"] = baseline_name;
  report["batch"] = Json::UInt64{options.batch};
  for (const Mix& mix : all_mixes(options.batch)) {
    Burst burst(mix);
    for (const bool open : {false, true}) {
      const Result result = compare(*engine, *baseline, burst, open, options.rounds);
      Json::Value row;
      row["traffic"] = mix.name;
      row["direction"] = open ? "open" : "seal";
      row["cycles"] = to_json(result.cycles);
      row["baseline_cycles"] = to_json(result.baseline_cycles);
      row["ratio"] = to_json(result.ratio);
      report["rows"].append(row);
      if (!options.json) print_row(mix, open, result);
    }
  }
  return report;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--batch" && has_value) {
      options.batch = std::clamp<size_t>(std::strtoul(argv[++i], nullptr, 10), 1, 1024);
    } else if (argument == "--rounds" && has_value) {
      options.rounds =
          static_cast<int>(std::clamp(std::strtol(argv[++i], nullptr, 10), 1L, 10000L));
    } else if (argument.starts_with("-")) {
      std::cerr << "usage: bench_aead [--json] [--batch N] [--rounds N] [ENGINE ...]\n";
      std::exit(2);
    } else {
      options.engines.push_back(argument);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  init_crypto();
  Json::Value reports(Json::arrayValue);
  for (const EngineInfo& info : list_engines()) {
    const bool wanted = options.engines.empty()
                            ? info.name == "avx512-ifma" || info.name == "avx2"
                            : std::ranges::count(options.engines, info.name) > 0;
    if (!wanted) continue;
    if (!info.usable) {
      std::cerr << info.name << ": " << info.reason << '\n';
      continue;
    }
    reports.append(run_engine(info.name, options));
  }
  if (options.json) std::cout << reports << '\n';
  return 0;
}
