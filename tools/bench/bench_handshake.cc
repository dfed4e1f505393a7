// bench_handshake: handshakes a second of one core, as responder and as initiator: in bursts by
// each X25519 engine of this machine, and one at a time; and where the time of bursts goes,
// primitive by primitive. Ratios are to one at a time by libsodium.
//
//   bench_handshake [--json] [--brief] [--rounds N]
//
// Google Benchmark times; its repetitions are interleaved at random, and of them the median counts,
// with the quartiles as spread. Processor time, so that what else runs does not count. The tables
// around a handshake are the control thread's: bench_protocol has the whole of it.
#include <array>
#include <boost/program_options/value_semantic.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "crypto/aead_single.h"
#include "crypto/blake2s_lanes.h"
#include "crypto/cookie.h"
#include "crypto/keys.h"
#include "crypto/noise.h"
#include "crypto/x25519.h"
#include "tools/bench/handshake_ends.h"
#include "tools/bench/measure.h"
#include "tools/bench/program.h"

using namespace wirelay;
using namespace wirelay::crypto;
using namespace wirelay::bench;

namespace po = boost::program_options;

namespace {

/// What a handshake does how often, by the name of the primitive's benchmark.
struct Part {
  const char* name;
  double responder, initiator;
};
// Counted in crypto/noise.cc and crypto/cookie.cc.
constexpr Part kParts[] = {
    {"x25519", 3, 3},       // exchanges of keys; that of the static keys is kept
    {"x25519_base", 1, 1},  // the public key of the ephemeral one
    {"kdf1", 4, 4},         // HKDF over HMAC-BLAKE2s of one, two, three outputs
    {"kdf2", 3, 3},
    {"kdf3", 1, 1},
    {"hash", 7, 7},          // BLAKE2s of a hash and 32 bytes
    {"aead_seal_32", 0, 1},  // ChaCha20-Poly1305 with associated data
    {"aead_open_32", 1, 0},
    {"aead_seal_12", 0, 1},
    {"aead_open_12", 1, 0},
    {"aead_seal_0", 1, 0},
    {"aead_open_0", 0, 1},
    {"mac1_check_initiation", 1, 0},
    {"mac1_check_response", 0, 1},
    {"mac_write_initiation", 0, 1},
    {"mac_write_response", 1, 0},
};

/// Nanoseconds of a benchmark are divided by `handshakes`, which it does at once.
std::map<std::string, size_t> divisors;

template <typename Work>
void add(const std::string& name, Work work, size_t handshakes = 1) {
  divisors[name] = handshakes;
  benchmark::RegisterBenchmark(name.c_str(), [work](benchmark::State& state) mutable {
    for (auto _ : state) work();
  });
}

template <typename Work>
void add_by_engine(const std::string& name, const std::string& engine, Work work,
                   size_t handshakes) {
  divisors[name] = handshakes;
  benchmark::RegisterBenchmark(name.c_str(), [work, engine](benchmark::State& state) mutable {
    use_x25519_engine(engine);
    for (auto _ : state) work();
  });
}

std::string alone(const std::string& side) { return side + "_alone"; }
std::string together(const std::string& side, const std::string& engine) {
  return side + "_" + engine;
}

std::vector<std::string> usable_engines() {
  std::vector<std::string> names;
  for (const EngineInfo& info : list_x25519_engines()) {
    if (info.usable) names.push_back(info.name);
  }
  return names;
}

void add_handshakes(Ends& ends) {
  const auto add_sides = [&ends](const auto& name_of, const std::string& engine, size_t count) {
    add_by_engine(
        name_of("responder"), engine, [&ends, count] { ends.respond(count); }, count);
    add_by_engine(
        name_of("initiator"), engine,
        [&ends, count] {
          ends.initiate(count, false);
          ends.finish(count);
        },
        count);
  };
  add_sides(alone, "libsodium", 1);
  for (const std::string& engine : usable_engines()) {
    add_sides([&](const std::string& side) { return together(side, engine); }, engine, kTogether);
  }
}

/// As many multiplications as are done together.
struct Multiplications {
  Multiplications(const Ends& ends, bool base) {
    for (size_t i = 0; i < kTogether; ++i) {
      jobs[i] = {ends.clients[i].self.private_key.data(),
                 base ? nullptr : ends.relay.public_key.data(), outs[i].data(), false};
    }
  }
  Multiplications(const Multiplications&) = delete;
  Multiplications& operator=(const Multiplications&) = delete;
  std::array<X25519Job, kTogether> jobs{};
  std::array<Bytes32, kTogether> outs{};
};

void add_exchanges(const Ends& ends) {
  for (const std::string& engine : usable_engines()) {
    const auto add_kind = [&](const std::string& name, bool base) {
      const auto all = std::make_shared<Multiplications>(ends, base);
      add(
          name + "_" + engine,
          [all, engine = &find_x25519_engine(engine)] { engine->multiply_burst(all->jobs); },
          kTogether);
    };
    add_kind("x25519", false);
    add_kind("x25519_base", true);
  }
}

void add_hashes() {
  static Lanes<32> a, b, c, key, input;
  add(
      "hash", [] { LaneHash(kTogether).add(key).add(input).finish(a); }, kTogether);
  add(
      "kdf1", [] { kdf({&a}, key, &input, kTogether); }, kTogether);
  add(
      "kdf2",
      [] {
        kdf({&a, &b}, key, &input, kTogether);
      },
      kTogether);
  add(
      "kdf3",
      [] {
        kdf({&a, &b, &c}, key, &input, kTogether);
      },
      kTogether);
}

void add_aead(const Ends& ends) {
  const auto add_size = [&ends](const std::string& bytes, size_t size) {
    const uint8_t* key = ends.preshared.data();
    const Bytes32 hash = ends.public_key;
    std::vector<uint8_t> text(size), sealed(size + 16);
    aead_seal(sealed, text, hash, {}, key);
    add("aead_seal_" + bytes, [=]() mutable { aead_seal(sealed, text, hash, {}, key); });
    add("aead_open_" + bytes, [=]() mutable { must(aead_open(text, sealed, hash, {}, key)); });
  };
  add_size("0", 0);
  add_size("12", 12);
  add_size("32", 32);
}

void add_macs(Ends& ends, CookieJar& jar) {
  Ends::Client& client = ends.clients[0];
  add("mac1_check_initiation",
      [&] { must(check_mac1(ends.relay_mac1, bytes_of(client.initiation))); });
  add("mac1_check_response", [&] { must(check_mac1(client.mac1, bytes_of(client.response))); });
  add("mac_write_initiation",
      [&] { client.to_relay->write(bytes_of(client.initiation), kSecond); });
  add("mac_write_response", [&] { client.to_client->write(bytes_of(client.response), kSecond); });
  // Under load, before any of the above: a cookie that is checked, a reply that is made.
  static constexpr uint8_t kSource[6] = {192, 0, 2, 1, 0x12, 0x34};
  add("mac2_check", [&] {
    benchmark::DoNotOptimize(jar.check_mac2(bytes_of(client.initiation), kSource, kSecond));
  });
  add("cookie_reply",
      [&] { benchmark::DoNotOptimize(jar.reply(bytes_of(client.initiation), kSource, kSecond)); });
  add("xaead_seal_16", [&ends, sealed = std::array<uint8_t, 32>{}]() mutable {
    xaead_seal(sealed, Cookie{}, ends.relay.public_key, {}, ends.preshared.data());
  });
}

/// Keeps each repetition's nanoseconds, by name.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) failed = true;
      if (run.run_type == Run::RT_Iteration) {
        const std::string& name = run.run_name.function_name;
        times[name].push_back(run.GetAdjustedCPUTime() / static_cast<double>(divisors.at(name)));
      }
    }
  }
  std::map<std::string, std::vector<double>> times;
  bool failed = false;
};

struct Options : bench::CommonOptions {
  int rounds = 15;
};

Options parse(int argc, char** argv) {
  Options o;
  auto all = bench::describe_options("bench_handshake: handshakes a second, and their parts", o);
  all.add_options()("rounds", po::value(&o.rounds)->default_value(o.rounds),
                    "that medians are taken of");
  bench::parse_options(argc, argv, all);
  if (o.brief) o.rounds = 3;
  if (o.rounds < 1) throw std::invalid_argument("at least one round");
  return o;
}

Collector measure(const Options& o, const char* program) {
  std::vector<std::string> args = {
      program, "--benchmark_repetitions=" + std::to_string(o.rounds),
      "--benchmark_enable_random_interleaving=true",
      o.brief ? "--benchmark_min_time=0.001" : "--benchmark_min_time=0.2"};
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  auto argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  Ends ends;
  CookieJar jar(ends.relay.public_key);
  add_handshakes(ends);
  add_exchanges(ends);
  add_hashes();
  add_aead(ends);
  add_macs(ends, jar);
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  benchmark::Shutdown();
  return collector;
}

using Times = std::map<std::string, std::vector<double>>;

double median_of(Times& times, const std::string& name) {
  return bench::quartiles_of(times.at(name)).median;
}

Json::Value speed(Times& times, const std::string& name) {
  Json::Value report;
  report["ns"] = bench::to_json(bench::quartiles_of(times.at(name)));
  report["handshakes_per_second"] = 1e9 / median_of(times, name);
  return report;
}

/// One side: its whole time by each engine, and by the chosen one each primitive's share of it.
Json::Value split(Times& times, const std::string& side, const std::string& chosen,
                  double Part::*count) {
  Json::Value report = speed(times, together(side, chosen));
  report["alone"] = speed(times, alone(side));
  for (const std::string& engine : usable_engines()) {
    Json::Value& of = report["together"][engine] = speed(times, together(side, engine));
    of["ratio"] = median_of(times, alone(side)) / median_of(times, together(side, engine));
  }
  const double whole = median_of(times, together(side, chosen));
  double rest = 100;
  for (const Part& part : kParts) {
    if (part.*count == 0) continue;
    const bool multiplies = std::string_view(part.name).starts_with("x25519");
    const std::string name = multiplies ? part.name + ("_" + chosen) : part.name;
    const double share = part.*count * median_of(times, name) / whole * 100;
    report["share_percent"][part.name] = share;
    rest -= share;
  }
  report["share_percent"]["rest"] = rest;
  return report;
}

void print_speed(const char* side, const std::string& how, const Json::Value& of) {
  std::printf("%s, %s: %.0f handshakes a second of one core, %.0f ns each (%.0f to %.0f)", side,
              how.c_str(), of["handshakes_per_second"].asDouble(), of["ns"]["median"].asDouble(),
              of["ns"]["low"].asDouble(), of["ns"]["high"].asDouble());
  if (of.isMember("ratio")) std::printf(", ratio %.2f", of["ratio"].asDouble());
  std::printf("\n");
}

void print_table(const Json::Value& report) {
  const std::string chosen = report["engine"].asString();
  for (const char* side : {"responder", "initiator"}) {
    const Json::Value& of = report[side];
    print_speed(side, "one at a time by libsodium", of["alone"]);
    for (const std::string& engine : of["together"].getMemberNames()) {
      print_speed(side, std::to_string(kTogether) + " at once by " + engine,
                  of["together"][engine]);
    }
    std::printf("of the time by %s\n", chosen.c_str());
    for (const std::string& part : of["share_percent"].getMemberNames()) {
      std::printf("  %-22s %5.1f %%\n", part.c_str(), of["share_percent"][part].asDouble());
    }
  }
  std::printf("each, in ns (quartiles); x25519, hash and kdf as a part of %zu at once\n",
              kTogether);
  for (const std::string& name : report["primitives"].getMemberNames()) {
    const Json::Value& ns = report["primitives"][name];
    std::printf("  %-24s %8.0f  (%.0f to %.0f)\n", name.c_str(), ns["median"].asDouble(),
                ns["low"].asDouble(), ns["high"].asDouble());
  }
}

int run(const Options& options, const char* program) {
  init_crypto();
  Collector collector = measure(options, program);
  if (collector.failed) return 1;
  Json::Value report;
  report["benchmark"] = "bench_handshake";
  report["unit"] = "ns of processor time";
  report["machine"] = bench::describe_machine();
  report["parameters"]["rounds"] = options.rounds;
  report["engine"] = chosen_x25519_engine().name;
  report["responder"] =
      split(collector.times, "responder", chosen_x25519_engine().name, &Part::responder);
  report["initiator"] =
      split(collector.times, "initiator", chosen_x25519_engine().name, &Part::initiator);
  for (auto& [name, times] : collector.times) {
    report["primitives"][name] = bench::to_json(bench::quartiles_of(times));
  }
  if (options.json) {
    bench::print_json(report);
  } else {
    print_table(report);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_program("bench_handshake", [&] { return run(parse(argc, argv), argv[0]); });
}
