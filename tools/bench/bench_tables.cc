// bench_tables: lookups and updates a second, the longest lookup beside a writer, and bytes.
//
//   bench_tables [--json] [--brief] [--entries 1,1000,...] [--rounds N] [--seconds S] [--core N]
//
// All sizes have a turn in every round; of rounds the median counts, with the quartiles as spread.
// Longest times are the machine's as well: the reader's without any writer stand beside them.
#include <boost/program_options/value_semantic.hpp>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "tools/bench/measure.h"
#include "tools/bench/program.h"
#include "tools/bench/table_memory.h"
#include "tools/bench/table_speed.h"
#include "tools/relaygen/progress.h"

using namespace wirelay;
using namespace wirelay::bench;

namespace po = boost::program_options;

namespace {

constexpr uint32_t kReplayPackets = 1024;  // of no matter to lookups: the smallest

struct Options : CommonOptions {
  std::string entries = "1,1000,100000,1000000", peers = "1000,10000,100000";
  uint32_t rounds = 11, lookups = 1u << 18;
  double seconds = 1;
  unsigned core = 0;
};

Options parse(int argc, char** argv) {
  Options o;
  o.core = last_core();
  auto all = describe_options("bench_tables: what the data path's tables cost", o);
  auto add = all.add_options();
  add("entries", po::value(&o.entries)->default_value(o.entries), "entries of the tables");
  add("peers", po::value(&o.peers)->default_value(o.peers), "peers whose memory is measured");
  add("rounds", po::value(&o.rounds)->default_value(o.rounds), "that medians are taken of");
  add("lookups", po::value(&o.lookups)->default_value(o.lookups), "in each round");
  add("seconds", po::value(&o.seconds)->default_value(o.seconds), "that updates are made for");
  add("core", po::value(&o.core)->default_value(o.core), "processor of the reader");
  parse_options(argc, argv, all);
  if (o.brief) {
    o.entries = "1,1000";
    o.peers = "1000";
    o.rounds = 3;
    o.lookups = 4096;
    o.seconds = 0.02;
  }
  if (o.rounds < 1 || o.lookups < 32) throw std::invalid_argument("too few rounds or lookups");
  return o;
}

using Worlds = std::vector<std::unique_ptr<TableWorld>>;

Worlds make_worlds(const Options& o, relaygen::Progress& progress) {
  Worlds worlds;
  for (const uint32_t entries : numbers_of(o.entries)) {
    if (entries < 1 || entries > 10'000'000) {
      throw std::invalid_argument("entries are 1 to 10,000,000");
    }
    progress.show("filling tables with " + std::to_string(entries), true);
    worlds.push_back(std::make_unique<TableWorld>(entries, kReplayPackets));
    worlds.back()->fill();
  }
  return worlds;
}

Json::Value run_lookups(const Options& o, Worlds& worlds, relaygen::Progress& progress) {
  Json::Value rows(Json::arrayValue);
  for (const Table table : kTables) {
    std::vector<std::vector<double>> ns(worlds.size());
    for (uint32_t round = 0; round < o.rounds; ++round) {
      progress.show(std::string("lookups, ") + to_text(table));
      for (size_t w = 0; w < worlds.size(); ++w) {
        ns[w].push_back(time_lookups(*worlds[w], table, o.lookups));
      }
    }
    for (size_t w = 0; w < worlds.size(); ++w) {
      Json::Value row;
      row["table"] = to_text(table);
      row["entries"] = worlds[w]->entries;
      row["ns"] = to_json(quartiles_of(ns[w]));
      row["lookups_per_second"] = 1e9 / quartiles_of(ns[w]).median;
      rows.append(row);
    }
  }
  return rows;
}

Json::Value run_updates(const Options& o, Worlds& worlds, relaygen::Progress& progress) {
  Json::Value rows(Json::arrayValue);
  for (const Table table : kTables) {
    for (auto& world : worlds) {
      progress.show(std::string("updates, ") + to_text(table));
      rows.append(time_updates(*world, table, o.seconds, o.core));
    }
  }
  return rows;
}

void print_lookups(const Json::Value& rows) {
  std::printf("\ntable          entries  lookups/s      ns  quartiles\n");
  for (const Json::Value& row : rows) {
    std::printf("%-13s %8u %10.0f %7.1f  %.1f to %.1f\n", row["table"].asCString(),
                row["entries"].asUInt(), row["lookups_per_second"].asDouble(),
                row["ns"]["median"].asDouble(), row["ns"]["low"].asDouble(),
                row["ns"]["high"].asDouble());
  }
}

void print_reader(const char* name, const Json::Value& reader) {
  std::printf("  %-6s", name);
  for (const char* key : {"p50_ns", "p99_ns", "p999_ns", "p9999_ns", "max_ns"}) {
    std::printf(" %9.0f", reader[key].asDouble());
  }
  std::printf("  %8lld\n", static_cast<long long>(reader["preempted"].asInt64()));
}

void print_updates(const Json::Value& rows) {
  std::printf(
      "\nOne lookup of a reader in ns, alone and beside a writer\n"
      "                 p50       p99     p99.9    p99.99       max  preempted\n");
  for (const Json::Value& row : rows) {
    std::printf("%s, %u entries: %.0f updates/s\n", row["table"].asCString(),
                row["entries"].asUInt(), row["updates_per_second"].asDouble());
    print_reader("alone", row["reader_alone"]);
    print_reader("beside", row["reader"]);
  }
}

void print_memory(const Json::Value& records, const Json::Value& resident) {
  std::printf("\nbytes, by the tables' own allocations\n");
  for (const std::string& name : records.getMemberNames()) {
    std::printf("  %-30s %6.0f\n", name.c_str(), records[name].asDouble());
  }
  std::printf(
      "bytes that the process grew by, a connected peer\n   peers  tables  protocol  registry\n");
  for (const Json::Value& row : resident) {
    std::printf("%8u %7.0f %9.0f %9.0f\n", row["peers"].asUInt(), row["tables_bytes"].asDouble(),
                row["protocol_bytes"].asDouble(), row["registry_bytes"].asDouble());
  }
}

int run(const Options& o) {
  crypto::init_crypto();
  relaygen::Progress progress;
  Json::Value report;
  report["benchmark"] = "bench_tables";
  report["machine"] = describe_machine();
  report["parameters"]["rounds"] = o.rounds;
  report["parameters"]["lookups"] = o.lookups;
  report["parameters"]["seconds"] = o.seconds;
  report["bytes"] = bytes_of_records();
  for (const uint32_t count : numbers_of(o.peers)) {  // first: memory is still untouched
    progress.show("memory of " + std::to_string(count) + " peers", true);
    report["resident"].append(resident_bytes(count));
  }
  Worlds worlds = make_worlds(o, progress);
  report["lookups"] = run_lookups(o, worlds, progress);
  report["updates"] = run_updates(o, worlds, progress);
  progress.clear();
  if (o.json) {
    print_json(report);
    return 0;
  }
  print_lookups(report["lookups"]);
  print_updates(report["updates"]);
  print_memory(report["bytes"], report["resident"]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("bench_tables", [&] { return run(parse(argc, argv)); });
}
