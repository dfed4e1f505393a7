// stats.get and drops.get: what ports, workers and stages did, and where packets ended.
#include <array>
#include <cmath>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "dataplane/pipeline.h"

namespace wirelay::ctrl::api {

namespace {

using dataplane::Counter;
using dataplane::kDropCount;
using dataplane::kDrops;
using dataplane::kPipeline;
using dataplane::WorkerCounters;

/// To one decimal; null when nothing was counted.
Json::Value ratio(const Counter& a, const Counter& b) {
  if (b.get() == 0) return {};
  return std::round(static_cast<double>(a.get()) / static_cast<double>(b.get()) * 10) / 10;
}

Json::Value stages_json(const WorkerCounters& worker) {
  Json::Value result(Json::arrayValue);
  for (size_t i = 0; i < kPipeline.size(); ++i) {
    const auto& stage = worker.stages[i];
    Json::Value& entry = result.append(Json::objectValue);
    entry["name"] = std::string(kPipeline[i].name);
    add_counters(entry, stage, kStageCounters);
    entry["packets_per_batch"] = ratio(stage.packets, stage.batches);
    entry["cycles_per_packet"] = ratio(stage.cycles, stage.packets);
  }
  return result;
}

class Stats : public Query {
 public:
  bool collect(const RelayFace& relay, const Slice& slice) override {
    if (!ports_.run(relay, slice)) return false;
    tsc_hz_ = relay.tsc_hz();
    cores_ = relay.config().worker_cores;
    workers_ = relay.workers();
    return true;
  }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result(Json::objectValue);
    result["tsc_hz"] = count(tsc_hz_);
    result["ports"] = ports_json(ports_.ports());
    Json::Value& workers = result["workers"] = workers_json(workers_, cores_);
    Json::ArrayIndex id = 0;
    for (const WorkerCounters* worker : workers_) workers[id++]["stages"] = stages_json(*worker);
    return result;
  }

 private:
  uint64_t tsc_hz_ = 0;
  PortList ports_;
  std::vector<unsigned> cores_;
  Workers workers_;
};

Begun get_stats(const Json::Value& params) {
  Params(params).finish();
  return std::make_shared<Stats>();
}

class Drops : public Query {
 public:
  explicit Drops(bool nonzero) : nonzero_(nonzero) {}

  bool collect(const RelayFace& relay, const Slice&) override {
    workers_ = relay.workers();
    return true;
  }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result(Json::objectValue);
    Json::Value& drops = result["drops"] = Json::arrayValue;
    uint64_t total = 0;
    for (size_t i = 0; i < kDropCount; ++i) {
      uint64_t packets = 0;
      for (const WorkerCounters* worker : workers_) packets += worker->drops[i].get();
      total += packets;
      if (nonzero_ && packets == 0) continue;
      Json::Value& entry = drops.append(Json::objectValue);
      entry["name"] = std::string(kDrops[i].name);
      entry["text"] = std::string(kDrops[i].text);
      entry["packets"] = count(packets);
    }
    result["total"] = count(total);
    return result;
  }

 private:
  const bool nonzero_;
  Workers workers_;
};

Begun get_drops(const Json::Value& params) {
  Params fields(params);
  const bool nonzero = fields->boolean("nonzero").value_or(false);
  fields.finish();
  return std::make_shared<Drops>(nonzero);
}

constexpr std::array kStatsMethods = {
    Method{"stats.get", get_stats, "{}", "counters of ports, workers and stages"},
    Method{"drops.get", get_drops, R"({"nonzero": false})",
           "packets dropped, by reason; only reasons that occurred when nonzero is true"},
};

}  // namespace

std::span<const Method> stats_methods() { return kStatsMethods; }

}  // namespace wirelay::ctrl::api
