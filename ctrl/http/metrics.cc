// From the lists of counters, and what is beside them: families one after the other, each with all
// of its samples.
#include "ctrl/http/metrics.h"

#include <array>
#include <tuple>

#include "ctrl/base/counter_field.h"
#include "ctrl/base/now.h"
#include "ctrl/base/version.h"
#include "ctrl/host/worker_counters.h"
#include "ctrl/http/metric_name.h"
#include "ctrl/http/series_metrics.h"
#include "dataplane/drops.h"
#include "dataplane/pipeline.h"

namespace wirelay::ctrl::http {

namespace {

using dataplane::kDropCount;
using dataplane::kDrops;
using dataplane::kPipeline;
using dataplane::WorkerCounters;

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

/// Workers as labels name them.
std::vector<std::string> numbers(size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

void add_relay(Exposition& out, const Facts& facts) {
  const std::string key = crypto::to_base64(facts.public_key);
  out.family("relay", MetricType::kInfo, "what runs");
  out.sample({{"version", version()},
              {"public_key", key},
              {"engine", facts.engine},
              {"huge_pages", facts.huge_pages ? "true" : "false"}},
             uint64_t{1});
  out.single("relay_uptime_seconds", kGauge, "since the relay started",
             static_cast<double>(facts.uptime_ns) / kNsPerSecond);
  out.single("relay_tsc_hertz", kGauge, "cycles a second, as stages count them", facts.tsc_hz);
  if (!facts.store.file.empty()) {
    out.single("relay_store_writable", kGauge, "1: changes are taken and kept",
               uint64_t{facts.store.refusal.empty()});
  }
}

void add_tables(Exposition& out, const Facts& facts) {
  const std::array tables = {
      std::tuple{"users", uint64_t{facts.users}, uint64_t{facts.sizes.users}},
      std::tuple{"peers", uint64_t{facts.peers}, uint64_t{facts.sizes.peers}},
      std::tuple{"sessions", uint64_t{facts.sessions}, uint64_t{facts.sizes.sessions}},
  };
  out.family("relay_table_entries", kGauge, "entries of a table");
  for (const auto& [name, used, size] : tables) out.sample({{"table", name}}, used);
  out.family("relay_table_size", kGauge, "entries that fit into a table");
  for (const auto& [name, used, size] : tables) out.sample({{"table", name}}, size);
  std::vector<std::string> prefixes;
  for (const PoolUse& pool : facts.pools) prefixes.push_back(to_string(pool.prefix));
  if (prefixes.empty()) return;
  out.family("relay_address_pool_size", kGauge, "addresses of a pool");
  for (size_t i = 0; i < prefixes.size(); ++i) {
    out.sample({{"prefix", prefixes[i]}}, uint64_t{facts.pools[i].size});
  }
  out.family("relay_address_pool_used", kGauge, "of these, such that cannot be given");
  for (size_t i = 0; i < prefixes.size(); ++i) {
    out.sample({{"prefix", prefixes[i]}}, uint64_t{facts.pools[i].used});
  }
}

void add_ports(Exposition& out, const Facts& facts) {
  out.family("relay_port_up", kGauge, "1: the port has a link");
  for (const PortStatus& port : facts.ports) {
    out.sample({{"port", port.name}}, uint64_t{port.link_up});
  }
  if (!facts.gateways.empty()) {
    out.family("relay_gateway_up", kGauge, "1: the gateway answers");
  }
  for (const Gateway& gateway : facts.gateways) {
    const std::string address = to_string(gateway.addr);
    out.sample({{"port", gateway.port}, {"address", address}}, uint64_t{gateway.answers});
  }
  add_counters(out, "relay_port", kPortCounters, [&](const auto& add) {
    for (const PortStatus& port : facts.ports) add({{"port", port.name}}, port);
  });
}

void add_drops(Exposition& out, const Facts& facts) {
  out.family("relay_drops", kCounter, "packets that ended in the relay; docs/drops.md");
  for (size_t i = 0; i < kDropCount; ++i) {
    uint64_t packets = 0;
    for (const WorkerCounters* worker : facts.workers) packets += worker->drops[i].get();
    out.sample({{"reason", kDrops[i].name}}, packets);
  }
}

void add_times(Exposition& out, const Facts& facts, const std::vector<std::string>& workers) {
  using dataplane::TimeHistogram;
  std::array<double, TimeHistogram::kBuckets> bounds;
  for (size_t i = 0; i < bounds.size(); ++i) {
    bounds[i] = static_cast<double>(TimeHistogram::bound_ns(i)) / kNsPerSecond;
  }
  out.family("relay_packet_seconds", MetricType::kHistogram,
             "how long packets are in the relay, of a sample of them");
  for (size_t w = 0; w < workers.size(); ++w) {
    const TimeHistogram& time = facts.workers[w]->time;
    std::array<uint64_t, TimeHistogram::kBuckets> counts;
    for (size_t i = 0; i < counts.size(); ++i) counts[i] = time.packets[i].get();
    out.histogram({{"worker", workers[w]}}, counts, bounds,
                  static_cast<double>(time.sum_ns.get()) / kNsPerSecond);
  }
}

void add_workers(Exposition& out, const Facts& facts) {
  const std::vector<std::string> names = numbers(facts.workers.size());
  add_counters(out, "relay_worker", kWorkerCounters, [&](const auto& add) {
    for (size_t i = 0; i < names.size(); ++i) add({{"worker", names[i]}}, *facts.workers[i]);
  });
  out.family("relay_worker_busy_seconds", kCounter,
             "time in which it had work: its rate is the share of a worker that is in use");
  for (size_t i = 0; i < names.size(); ++i) {
    const auto cycles = static_cast<double>(facts.workers[i]->busy_cycles.get());
    out.sample({{"worker", names[i]}}, cycles / static_cast<double>(facts.tsc_hz));
  }
  if (!facts.loads.empty()) {
    out.family("relay_worker_load", kGauge, "the same over the last seconds, 0 to 1");
  }
  for (size_t i = 0; i < facts.loads.size(); ++i) {
    out.sample({{"worker", names[i]}}, facts.loads[i].busy);
  }
  add_times(out, facts, names);
  add_counters(out, "relay_stage", kStageCounters, [&](const auto& add) {
    for (size_t i = 0; i < names.size(); ++i) {
      for (size_t s = 0; s < kPipeline.size(); ++s) {
        add({{"worker", names[i]}, {"stage", kPipeline[s].name}}, facts.workers[i]->stages[s]);
      }
    }
  });
  out.family("relay_ring_depth", kGauge, "what waits between a worker and the control thread");
  for (const RingDepth& ring : facts.rings) {
    out.sample({{"worker", names.at(ring.worker)}, {"ring", ring.ring}}, uint64_t{ring.items});
  }
}

void add_control(Exposition& out, const Facts& facts) {
  const auto one = [](const auto& from) { return [&from](const auto& add) { add({}, from); }; };
  add_counters(out, "relay_handshakes", kProtocolCounters, one(facts.handshakes));
  add_counters(out, "relay_neighbours", kNeighbourCounters, one(facts.neighbours));
  add_counters(out, "relay_control", kTurnCounters, one(facts.turns));
}

void add_nat(Exposition& out, const std::optional<NatStatus>& nat) {
  if (!nat) return;
  out.family("relay_nat_blocks", kGauge, "blocks of ports, by what is with them");
  out.sample({{"state", "used"}}, uint64_t{nat->blocks - nat->blocks_free - nat->blocks_resting});
  out.sample({{"state", "free"}}, uint64_t{nat->blocks_free});
  out.sample({{"state", "resting"}}, uint64_t{nat->blocks_resting});
  out.single("relay_nat_records", kGauge, "mappings and flows that fit", uint64_t{nat->records});
  out.single("relay_nat_records_used", kGauge, "mappings and flows", uint64_t{nat->records_used});
  out.single("relay_nat_packets_lost", kCounter,
             "packets that waited for a block, and found the ring back to a worker full",
             nat->packets_lost);
}

void add_known_names(Exposition& out, const Facts& facts) {
  const auto add = [&](std::string_view name, std::string_view help, size_t value) {
    out.family(name, kGauge, help);
    out.sample({{"interface", kInterface}}, uint64_t{value});
  };
  add("wireguard_configured_peers", "peers", facts.peers);
  add("wireguard_enabled_peers", "peers whose user may shake hands", facts.peer_counts.enabled);
  add("wireguard_connected_peers", "peers that have a session", facts.peer_counts.connected);
}

}  // namespace

std::string metrics_text(const Facts& facts, Format format) {
  Exposition out(format);
  add_relay(out, facts);
  add_known_names(out, facts);
  add_tables(out, facts);
  add_ports(out, facts);
  add_drops(out, facts);
  add_workers(out, facts);
  add_control(out, facts);
  add_nat(out, facts.nat);
  add_series(out, facts);
  return out.finish();
}

}  // namespace wirelay::ctrl::http
