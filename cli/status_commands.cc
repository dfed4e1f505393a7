// relayctl status, stats and drops: what runs, how fast, and what was lost.
#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/format.h"

namespace wirelay::cli {

namespace {

constexpr uint64_t kMaxWatch = 86'400;  // seconds

void describe_watch(po::options_description_easy_init add) {
  add("watch", po::value<std::string>()->value_name("SECONDS"), "print again that often");
}

void describe_drops(po::options_description_easy_init add) {
  add("all", "also the reasons that have not occurred");
  describe_watch(add);
}

/// Prints once, or again and again from the top of the screen until the user or the relay ends it.
void watch(Call& call, void (*print)(Call&)) {
  if (!call.has("watch")) return print(call);
  const uint64_t seconds = call.number("watch", 1);
  if (seconds < 1 || seconds > kMaxWatch) throw UsageError("--watch: expected 1 or more seconds");
  for (;;) {
    if (!call.json()) call.out << "\033[H\033[2J";
    print(call);
    call.out.flush();
    if (!call.out) throw Failure("cannot write the output");
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
  }
}

std::string number(const Json::Value& value) { return count_text(value.asUInt64()); }

/// Measured ratios with one decimal; "-" where nothing was measured.
std::string decimal(const Json::Value& value) {
  if (!value.isNumeric()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value.asDouble());
  return text;
}

void print_ports(std::ostream& out, const Json::Value& ports) {
  Table table({"PORT", "DEVICE", "LINK", ">RX PACKETS", ">RX BYTES", ">RX LOST", ">TX PACKETS",
               ">TX BYTES", ">TX ERRORS"});
  for (const Json::Value& port : ports) {
    table.add({port["name"].asString(), port["device"].asString(),
               port["link_up"].asBool() ? "up" : "down", number(port["rx_packets"]),
               bytes_text(port["rx_bytes"].asUInt64()),
               count_text(port["rx_missed"].asUInt64() + port["rx_no_buffer"].asUInt64() +
                          port["rx_errors"].asUInt64()),
               number(port["tx_packets"]), bytes_text(port["tx_bytes"].asUInt64()),
               number(port["tx_errors"])});
  }
  table.print(out);
}

std::string busy_text(const Json::Value& worker) {
  const uint64_t polls = worker["polls"].asUInt64(), empty = worker["empty_polls"].asUInt64();
  if (polls == 0) return "-";
  return std::to_string((polls - std::min(empty, polls)) * 100 / polls) + " %";
}

void print_workers(std::ostream& out, const Json::Value& workers) {
  Table table({">WORKER", ">CORE", ">RX PACKETS", ">TX PACKETS", ">POLLS", ">WITH WORK"});
  for (const Json::Value& worker : workers) {
    table.add({number(worker["id"]),
               worker["core"].isNumeric() ? number(worker["core"]) : std::string("-"),
               number(worker["rx_packets"]), number(worker["tx_packets"]), number(worker["polls"]),
               busy_text(worker)});
  }
  table.print(out);
}

std::string of_size(const Json::Value& n, const Json::Value& size) {
  return number(n) + " of " + number(size);
}

std::string engine_text(const Json::Value& engine) {
  return engine["name"].asString() + " (" + engine["reason"].asString() + ')';
}

std::string store_text(const Json::Value& store) {
  if (!store.isObject()) return "none: what the API changes is gone when the relay ends";
  const std::string file = printable(store["file"].asString());
  if (store["takes_changes"].asBool()) return file;
  return file + ", only read: " + printable(store["refusal"].asString());
}

std::string handshakes_text(const Json::Value& handshakes) {
  uint64_t refused = 0;
  for (const Json::Value& n : handshakes["refused"]) refused += n.asUInt64();
  return number(handshakes["completed"]) + " completed, " +
         number(handshakes["initiations_received"]) + " initiations received, " +
         count_text(refused) + " refused";
}

void print_neighbours(std::ostream& out, const Json::Value& neighbours) {
  Table table({"NEIGHBOUR", "PORT", "MAC", "STATE"});
  for (const Json::Value& neighbour : neighbours) {
    table.add({neighbour["address"].asString(), neighbour["port"].asString(),
               neighbour["mac"].isString() ? neighbour["mac"].asString() : std::string("-"),
               neighbour["state"].asString()});
  }
  if (table.empty()) return;
  out << '\n';
  table.print(out);
}

std::string turns_text(const Json::Value& turns) {
  const auto ms = [&](const char* name) { return decimal(turns[name].asDouble() / 1000); };
  return ms("longest_cpu_us") + " ms of CPU time, most of it " + turns["longest_part"].asString() +
         "; " + ms("longest_us") + " ms by the clock";
}

/// "busiest worker 12.5 % busy, 87.5 % left; packets take 3.1 us, one in 100 more than 9.8 us"
std::string load_text(const Json::Value& load) {
  if (!load.isObject()) return "not known yet";
  std::string text = "busiest worker " + decimal(load["busy_percent"]) + " % busy, " +
                     decimal(load["headroom_percent"]) + " % left";
  const Json::Value& time = load["time_us"];
  if (!time.isObject()) return text;
  return text + "; packets take " + decimal(time["p50"]) + " us, one in 100 more than " +
         decimal(time["p99"]) + " us";
}

std::string listens_text(const Json::Value& status) {
  std::string text = "UDP port " + std::to_string(status["listen_port"].asUInt64());
  const Json::Value& all = status["listen_ports"];
  for (Json::ArrayIndex i = 1; i < all.size(); ++i) {
    text += ", " + std::to_string(all[i].asUInt64());
  }
  return text;
}

void print_status(Call& call) {
  const Json::Value status = call.relay.call("status.get");
  if (printed_json(call, status)) return;
  const Json::Value& sizes = status["sizes"];
  Facts facts;
  facts.add("Version", status["version"].asString());
  facts.add("Running for", duration_text(status["uptime_seconds"].asUInt64()));
  facts.add("Public key", status["public_key"].asString());
  facts.add("Listens on", listens_text(status));
  facts.add("AEAD engine", engine_text(status["engine"]));
  facts.add("X25519 engine", engine_text(status["x25519_engine"]));
  facts.add("Huge pages", status["huge_pages"].asBool() ? "yes" : "no");
  facts.add("Polling", status["polling"].asString());
  facts.add("Users", of_size(status["users"], sizes["users"]));
  facts.add("Peers", of_size(status["peers"], sizes["peers"]));
  facts.add("Sessions", of_size(status["sessions"], sizes["sessions"]));
  facts.add("Store", store_text(status["store"]));
  for (const Json::Value& pool : status["address_pools"]) {
    facts.add("Address pool",
              printable(pool["prefix"].asString()) + ": " + of_size(pool["used"], pool["size"]));
  }
  facts.add("Handshakes", handshakes_text(status["handshakes"]));
  facts.add("Load", load_text(status["load"]));
  facts.add("Longest turn", turns_text(status["control"]));
  facts.print(call.out);
  call.out << '\n';
  print_workers(call.out, status["workers"]);
  call.out << '\n';
  print_ports(call.out, status["ports"]);
  print_neighbours(call.out, status["neighbours"]);
}

struct StageSum {
  uint64_t packets = 0, batches = 0, cycles = 0;
};

Json::Value ratio(uint64_t a, uint64_t b) {
  return b == 0 ? Json::Value() : Json::Value(static_cast<double>(a) / static_cast<double>(b));
}

/// The stages of all workers together; the JSON result has them apart.
void print_stages(std::ostream& out, const Json::Value& workers) {
  std::vector<std::string> order;
  std::map<std::string, StageSum> sums;
  for (const Json::Value& worker : workers) {
    for (const Json::Value& stage : worker["stages"]) {
      const auto [at, fresh] = sums.try_emplace(stage["name"].asString());
      if (fresh) order.push_back(at->first);
      at->second.packets += stage["packets"].asUInt64();
      at->second.batches += stage["batches"].asUInt64();
      at->second.cycles += stage["cycles"].asUInt64();
    }
  }
  Table table({"STAGE", ">PACKETS", ">PACKETS/BATCH", ">CYCLES/PACKET"});
  for (const std::string& name : order) {
    const StageSum& sum = sums[name];
    table.add({name, count_text(sum.packets), decimal(ratio(sum.packets, sum.batches)),
               decimal(ratio(sum.cycles, sum.packets))});
  }
  table.print(out);
}

void print_stats(Call& call) {
  const Json::Value stats = call.relay.call("stats.get");
  if (printed_json(call, stats)) return;
  print_ports(call.out, stats["ports"]);
  call.out << '\n';
  print_workers(call.out, stats["workers"]);
  call.out << '\n';
  print_stages(call.out, stats["workers"]);
}

void print_drops(Call& call) {
  Json::Value params(Json::objectValue);
  params["nonzero"] = !call.has("all");
  const Json::Value result = call.relay.call("drops.get", params);
  if (printed_json(call, result)) return;
  if (result["drops"].empty()) {
    call.out << "no packet was dropped\n";
    return;
  }
  Table table({">PACKETS", "REASON", "WHAT IT MEANS"});
  for (const Json::Value& drop : result["drops"]) {
    table.add({number(drop["packets"]), drop["name"].asString(), drop["text"].asString()});
  }
  table.print(call.out);
}

void status(Call& call) { watch(call, print_status); }
void stats(Call& call) { watch(call, print_stats); }
void drops(Call& call) { watch(call, print_drops); }

constexpr std::array kStatusCommands = {
    Command{"status", "", 0, 0, "the relay: engine, workers, ports, users, handshakes",
            "relayctl status\nrelayctl status --json", describe_watch, status},
    Command{"stats", "", 0, 0, "what ports, workers and each stage of the pipeline did",
            "relayctl stats\nrelayctl stats --watch 2", describe_watch, stats},
    Command{"drops", "", 0, 0, "packets dropped, by reason",
            "relayctl drops\nrelayctl drops --all\nrelayctl drops --watch 1", describe_drops,
            drops},
};

}  // namespace

std::span<const Command> status_commands() { return kStatusCommands; }

}  // namespace wirelay::cli
