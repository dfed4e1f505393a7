// bench_stages: what a packet costs in one worker's pipeline, stage by stage and as a whole, beside
// the bare cost of the AEAD engine on the same packets.
//
//   bench_stages [--json] [--brief] [--direction up,down,hub] [--sizes 64,...,IMIX]
//                [--sessions 1,1000,...] [--batch 1,8,...] [--mbufs N,...] ...       (--help: all)
//
// In every round each cell of the matrix has its turn, and the bare engine behind it, so that what
// else the machine does hits all of them; ratios are taken in each round, and of rounds the median
// counts, with the quartiles as spread. Packets carry a nonce of their own, sealed ahead of the
// timed part, and every one must come out.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/keys.h"
#include "tools/bench/environment.h"
#include "tools/bench/measure.h"
#include "tools/bench/program.h"
#include "tools/bench/stage_rig.h"
#include "tools/relaygen/progress.h"

using namespace wirelay;
using namespace wirelay::bench;

namespace po = boost::program_options;

namespace {

struct Options : CommonOptions {
  bool limits = false, quotas = false;
  std::string directions = "up,down,hub", sizes = "64,128,256,576,1024,1420,IMIX";
  std::string sessions = "1,1000,10000,100000", batches = "1,8,32,64", mbufs = "512,32768";
  std::string engine = "auto", pages = "auto";
  uint32_t rounds = 9, packets = 32768, nat = 0;
  unsigned core = 0;
};

/// A cell of the matrix and what was measured of it, round by round.
struct Row {
  Cell cell;
  std::vector<double> whole, bare, ratio, above, of_one;
  std::vector<std::vector<double>> stages;  // by stage
};

Options parse(int argc, char** argv) {
  Options o;
  o.core = last_core();
  auto all = describe_options("bench_stages: cycles a packet in one worker's pipeline", o);
  auto add = all.add_options();
  add("direction", po::value(&o.directions)->default_value(o.directions), "of up, down, hub");
  add("sizes", po::value(&o.sizes)->default_value(o.sizes), "inner bytes, or IMIX");
  add("sessions", po::value(&o.sessions)->default_value(o.sessions), "touched in random order");
  add("batch", po::value(&o.batches)->default_value(o.batches), "packets at each poll, 1 to 64");
  add("mbufs", po::value(&o.mbufs)->default_value(o.mbufs), "packet buffers in rotation");
  add("rounds", po::value(&o.rounds)->default_value(o.rounds), "that medians are taken of");
  add("packets", po::value(&o.packets)->default_value(o.packets), "of each cell a round");
  add("engine", po::value(&o.engine)->default_value(o.engine), "AEAD engine, auto: the fastest");
  add("pages", po::value(&o.pages)->default_value(o.pages), "auto, huge or small");
  add("core", po::value(&o.core)->default_value(o.core), "processor to run on");
  add("limits", po::bool_switch(&o.limits), "with users' limits, never reached");
  add("quotas", po::bool_switch(&o.quotas), "with users' quotas, never used up");
  add("nat", po::value(&o.nat)->default_value(o.nat),
      "NAT, and open ports of each client (1 to 4,096); 0: none");
  parse_options(argc, argv, all);
  if (o.brief) {
    o.sizes = "64,IMIX";
    o.sessions = "1,1000";
    o.batches = "32";
    o.mbufs = "512";
    o.rounds = 3;
    o.packets = 2048;  // the worker times one batch in some
  }
  return o;
}

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

/// All cells of one direction and one mix, which take turns.
std::vector<Row> rows_of(const Options& o, Direction direction, const std::string& size) {
  std::vector<Row> rows;
  for (const uint32_t mbufs : numbers_of(o.mbufs)) {
    for (const uint32_t sessions : numbers_of(o.sessions)) {
      for (const uint32_t batch : numbers_of(o.batches)) {
        rows.push_back({{direction, make_mix(size, 1024), sessions, batch, mbufs},
                        {},
                        {},
                        {},
                        {},
                        {},
                        std::vector<std::vector<double>>(dataplane::kPipeline.size())});
        const Cell& cell = rows.back().cell;
        require(sessions >= 1 && sessions <= 1'000'000, "sessions are 1 to 1,000,000");
        require(batch >= 1 && batch <= dataplane::kBurstSize, "a batch is 1 to 64 packets");
        require(mbufs >= batch && mbufs <= 1'000'000, "buffers are at least a batch");
        require(
            std::ranges::all_of(cell.mix.lengths, [](uint32_t n) { return n >= 28 && n <= 1420; }),
            "inner packets are 28 to 1,420 bytes, so that one fits into the tunnel");
      }
    }
  }
  return rows;
}

/// The row of the same cell with one session; the row itself when there is none.
const Row& one_session(const std::vector<Row>& rows, const Row& row) {
  const auto same = std::ranges::find_if(rows, [&](const Row& r) {
    return r.cell.sessions == 1 && r.cell.batch == row.cell.batch && r.cell.mbufs == row.cell.mbufs;
  });
  return same == rows.end() ? row : *same;
}

void run_round(StageRig& rig, std::vector<Row>& rows, uint32_t packets) {
  for (Row& row : rows) {
    const Cost cost = rig.run(row.cell, packets, false);
    row.whole.push_back(cost.whole);
    row.bare.push_back(cost.bare);
    row.ratio.push_back(cost.whole / cost.bare);
    row.above.push_back(cost.whole - cost.bare);
    for (size_t i = 0; i < cost.stages.size(); ++i) row.stages[i].push_back(cost.stages[i]);
  }
  for (Row& row : rows)
    row.of_one.push_back(one_session(rows, row).whole.back() / row.whole.back());
}

Json::Value to_json(const Row& row, bool with_one) {
  Json::Value value;
  value["direction"] = to_text(row.cell.direction);
  value["traffic"] = row.cell.mix.name;
  value["sessions"] = row.cell.sessions;
  value["batch"] = row.cell.batch;
  value["mbufs"] = row.cell.mbufs;
  value["whole"] = bench::to_json(quartiles_of(row.whole));
  value["bare"] = bench::to_json(quartiles_of(row.bare));
  value["ratio"] = bench::to_json(quartiles_of(row.ratio));
  value["above_bare"] = bench::to_json(quartiles_of(row.above));
  if (with_one) value["rate_of_one_session"] = bench::to_json(quartiles_of(row.of_one));
  for (size_t i = 0; i < row.stages.size(); ++i) {
    const Quartiles cycles = quartiles_of(row.stages[i]);
    if (cycles.median == 0) continue;
    value["stages"][std::string(dataplane::kPipeline[i].name)] = bench::to_json(cycles);
  }
  return value;
}

void print_head() {
  std::printf(
      "\ndir   bytes sessions batch  mbufs |  whole    bare  above  ratio  quartiles     of one |"
      " stages\n");
}

void print_row(const Row& row) {
  const Quartiles ratio = quartiles_of(row.ratio);
  std::printf("%-4s %6s %8u %5u %6u | %6.0f  %6.0f %6.0f  %5.2f  %4.2f to %4.2f  %5.1f%% |",
              to_text(row.cell.direction), row.cell.mix.name.c_str(), row.cell.sessions,
              row.cell.batch, row.cell.mbufs, quartiles_of(row.whole).median,
              quartiles_of(row.bare).median, quartiles_of(row.above).median, ratio.median,
              ratio.low, ratio.high, quartiles_of(row.of_one).median * 100);
  for (size_t i = 0; i < row.stages.size(); ++i) {
    const double cycles = quartiles_of(row.stages[i]).median;
    if (cycles != 0) std::printf(" %s %.0f", dataplane::kPipeline[i].name.data(), cycles);
  }
  std::printf("\n");
  std::fflush(stdout);
}

Json::Value describe(const Options& o, const std::string& engine, const Environment& environment) {
  Json::Value report;
  report["benchmark"] = "bench_stages";
  report["unit"] = "TSC cycles a packet";
  report["machine"] = describe_machine();
  Json::Value& with = report["parameters"];
  with["engine"] = engine;
  with["pages"] = environment.pages();
  with["rounds"] = o.rounds;
  with["packets"] = o.packets;
  with["limits"] = o.limits;
  with["quotas"] = o.quotas;
  with["nat"] = o.nat;
  with["core"] = o.core;
  return report;
}

int run(const Options& o, const char* program) {
  const auto sessions = numbers_of(o.sessions), mbufs = numbers_of(o.mbufs);
  std::vector<std::vector<Row>> groups;
  for (const std::string& direction : words_of(o.directions)) {
    for (const std::string& size : words_of(o.sizes)) {
      groups.push_back(rows_of(o, direction_of(direction), size));
    }
  }
  require(o.nat <= 4096, "a client has at most 4,096 open ports");
  require(o.rounds >= 1 && o.packets >= 1, "at least one round and one packet");
  const bool with_one = std::ranges::count(sessions, 1u) != 0;
  const uint32_t most_mbufs = std::ranges::max(mbufs);
  const Environment environment(program, pages_of(o.pages), StageRig::bytes_for(most_mbufs),
                                o.core);
  const std::string engine = crypto::choose_engine(o.engine).name;
  Json::Value report = describe(o, engine, environment);
  if (!o.json) {
    std::printf("TSC cycles a packet; engine %s, %s pages, TSC %.2f GHz, load average %.1f\n",
                engine.c_str(), environment.pages(), tsc_hz() / 1e9,
                report["machine"]["load_average"].asDouble());
  }
  StageRig rig(std::ranges::max(sessions), most_mbufs, engine, {o.limits, o.quotas, o.nat});
  if (o.nat != 0) report["ns_of_mapping"] = rig.seconds_of_mapping() * 1e9;
  if (o.nat != 0 && !o.json) {
    std::printf("a mapping is made in %.0f ns\n", rig.seconds_of_mapping() * 1e9);
  }
  relaygen::Progress progress;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const Row& row : groups[g]) rig.run(row.cell, 1, true);
    for (uint32_t round = 0; round < o.rounds; ++round) {
      progress.show("part " + std::to_string(g + 1) + " of " + std::to_string(groups.size()) +
                    ", round " + std::to_string(round + 1) + " of " + std::to_string(o.rounds));
      run_round(rig, groups[g], o.packets);
    }
    progress.clear();
    if (!o.json) print_head();
    for (const Row& row : groups[g]) {
      report["rows"].append(to_json(row, with_one));
      if (!o.json) print_row(row);
    }
  }
  if (o.json) print_json(report);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("bench_stages", [&] { return run(parse(argc, argv), argv[0]); });
}
