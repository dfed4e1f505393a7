// bench_handshake: handshakes a second of one core, as responder and as initiator, and where the
// time goes, primitive by primitive.
//
//   bench_handshake [--json] [--brief] [--rounds N]
//
// Google Benchmark times; its repetitions are interleaved at random, and of them the median counts,
// with the quartiles as spread. Processor time, so that what else runs does not count. The tables
// around a handshake are the control thread's: bench_protocol has the whole of it.
#include <boost/program_options/value_semantic.hpp>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "crypto/aead_single.h"
#include "crypto/blake2s.h"
#include "crypto/cookie.h"
#include "crypto/keys.h"
#include "crypto/noise.h"
#include "tools/bench/measure.h"
#include "tools/bench/program.h"

using namespace wirelay;
using namespace wirelay::crypto;

namespace po = boost::program_options;

namespace {

constexpr uint64_t kSecond = 100;  // monotonic; all happens at once

template <typename T>
std::span<uint8_t> bytes_of(T& message) {
  return {reinterpret_cast<uint8_t*>(&message), sizeof message};
}

/// Both ends, each with what it knows of the other.
struct Ends {
  Identity client = make_identity(generate_private_key());
  Identity relay = make_identity(generate_private_key());
  Secret preshared = generate_preshared_key();
  RemoteIdentity of_client = *make_remote(relay, client.public_key, preshared);
  RemoteIdentity of_relay = *make_remote(client, relay.public_key, preshared);
  MacWriter to_relay{relay.public_key}, to_client{client.public_key};
  Bytes32 relay_mac1 = mac1_key(relay.public_key), client_mac1 = mac1_key(client.public_key);
  HandshakeState initiated;
  MessageInitiation initiation{};
  MessageResponse response{};

  Ends() {
    initiate(initiated, initiation);
    respond();
  }

  /// The initiator's first half.
  void initiate(HandshakeState& state, MessageInitiation& out) {
    must(create_initiation(client, of_relay, 1, make_timestamp(kSecond), out, state));
    to_relay.write(bytes_of(out), kSecond);
  }
  /// The responder's part, each time for the same initiation, as the worker and the control thread
  /// do it.
  void respond() {
    must(check_mac1(relay_mac1, bytes_of(initiation)));
    auto opened = open_initiation(relay, initiation);
    must(opened && authenticate_initiation(*opened, of_client, initiation));
    must(create_response(opened->state, of_client, 2, response).has_value());
    to_client.write(bytes_of(response), kSecond);
  }
  /// The initiator's second half, of the first handshake, which stays open for the next time.
  void finish() {
    HandshakeState state = initiated;
    must(check_mac1(client_mac1, bytes_of(response)));
    must(consume_response(client, of_relay, state, response).has_value());
  }
  static void must(bool holds) {
    if (!holds) throw std::logic_error("a handshake failed");
  }
};

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

template <typename Work>
void add(const char* name, Work work) {
  benchmark::RegisterBenchmark(name, [work](benchmark::State& state) mutable {
    for (auto _ : state) work();
  });
}

void add_handshakes(Ends& ends) {
  add("responder", [&ends] { ends.respond(); });
  add("initiator", [&ends] {
    HandshakeState state;
    MessageInitiation message;
    ends.initiate(state, message);
    ends.finish();
  });
}

void add_exchanges(Ends& ends) {
  add("x25519", [&ends] {
    Secret out;
    benchmark::DoNotOptimize(x25519(out, ends.relay.private_key, ends.client.public_key));
  });
  add("x25519_base",
      [&ends] { benchmark::DoNotOptimize(derive_public_key(ends.relay.private_key)); });
}

void add_hashes(Ends& ends) {
  add("hash", [&ends] {
    benchmark::DoNotOptimize(blake2s({ends.relay.public_key, ends.client.public_key}));
  });
  const auto add_kdf = [&ends](const char* name, size_t outputs) {
    add(name, [&ends, outputs] {
      Secret a, b, c;
      const ConstBytes key = ends.relay.public_key, input = ends.client.public_key;
      if (outputs == 1) kdf({&a}, key, input);
      if (outputs == 2) kdf({&a, &b}, key, input);
      if (outputs == 3) kdf({&a, &b, &c}, key, input);
      benchmark::DoNotOptimize(a);
    });
  };
  add_kdf("kdf1", 1);
  add_kdf("kdf2", 2);
  add_kdf("kdf3", 3);
}

void add_aead(const Ends& ends) {
  const auto add_size = [&ends](const std::string& bytes, size_t size) {
    const uint8_t* key = ends.preshared.data();
    const Bytes32 hash = ends.relay.public_key;
    std::vector<uint8_t> text(size), sealed(size + 16);
    aead_seal(sealed, text, hash, {}, key);
    add(("aead_seal_" + bytes).c_str(), [=]() mutable { aead_seal(sealed, text, hash, {}, key); });
    add(("aead_open_" + bytes).c_str(),
        [=]() mutable { Ends::must(aead_open(text, sealed, hash, {}, key)); });
  };
  add_size("0", 0);
  add_size("12", 12);
  add_size("32", 32);
}

void add_macs(Ends& ends, CookieJar& jar) {
  add("mac1_check_initiation",
      [&ends] { Ends::must(check_mac1(ends.relay_mac1, bytes_of(ends.initiation))); });
  add("mac1_check_response",
      [&ends] { Ends::must(check_mac1(ends.client_mac1, bytes_of(ends.response))); });
  add("mac_write_initiation", [&ends] { ends.to_relay.write(bytes_of(ends.initiation), kSecond); });
  add("mac_write_response", [&ends] { ends.to_client.write(bytes_of(ends.response), kSecond); });
  // Under load, before any of the above: a cookie that is checked, a reply that is made.
  static constexpr uint8_t kSource[6] = {192, 0, 2, 1, 0x12, 0x34};
  add("mac2_check", [&] {
    benchmark::DoNotOptimize(jar.check_mac2(bytes_of(ends.initiation), kSource, kSecond));
  });
  add("cookie_reply",
      [&] { benchmark::DoNotOptimize(jar.reply(bytes_of(ends.initiation), kSource, kSecond)); });
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
        times[run.run_name.function_name].push_back(run.GetAdjustedCPUTime());
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
  add_hashes(ends);
  add_aead(ends);
  add_macs(ends, jar);
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  benchmark::Shutdown();
  return collector;
}

/// One side: its whole time, and each primitive's share of it.
Json::Value split(std::map<std::string, std::vector<double>>& times, const char* side,
                  double Part::*count) {
  const double whole = bench::quartiles_of(times[side]).median;
  Json::Value report;
  report["ns"] = bench::to_json(bench::quartiles_of(times[side]));
  report["handshakes_per_second"] = 1e9 / whole;
  double rest = 100;
  for (const Part& part : kParts) {
    if (part.*count == 0) continue;
    const double share = part.*count * bench::quartiles_of(times[part.name]).median / whole * 100;
    report["share_percent"][part.name] = share;
    rest -= share;
  }
  report["share_percent"]["rest"] = rest;
  return report;
}

void print_table(const Json::Value& report) {
  for (const char* side : {"responder", "initiator"}) {
    const Json::Value& of = report[side];
    std::printf("%s: %.0f handshakes a second of one core, %.0f ns (%.0f to %.0f); of this\n", side,
                of["handshakes_per_second"].asDouble(), of["ns"]["median"].asDouble(),
                of["ns"]["low"].asDouble(), of["ns"]["high"].asDouble());
    for (const std::string& part : of["share_percent"].getMemberNames()) {
      std::printf("  %-22s %5.1f %%\n", part.c_str(), of["share_percent"][part].asDouble());
    }
  }
  std::printf("each once, in ns (quartiles)\n");
  for (const std::string& name : report["primitives"].getMemberNames()) {
    const Json::Value& ns = report["primitives"][name];
    std::printf("  %-22s %8.0f  (%.0f to %.0f)\n", name.c_str(), ns["median"].asDouble(),
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
  report["responder"] = split(collector.times, "responder", &Part::responder);
  report["initiator"] = split(collector.times, "initiator", &Part::initiator);
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
