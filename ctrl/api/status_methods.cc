// status.get: what runs, and how it is.
#include <array>

#include "crypto/x25519.h"
#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "ctrl/base/version.h"

namespace wirelay::ctrl::api {

namespace {

Json::Value engine_json(const crypto::EngineInfo& engine) {
  Json::Value result(Json::objectValue);
  result["name"] = engine.name;
  result["usable"] = engine.usable;
  result["reason"] = engine.reason;
  return result;
}

Json::Value neighbours_json(const std::vector<NeighbourStatus>& neighbours) {
  Json::Value result(Json::arrayValue);
  for (const NeighbourStatus& neighbour : neighbours) {
    if (result.size() == kMaxPage) break;
    Json::Value& entry = result.append(Json::objectValue);
    entry["port"] = neighbour.port;
    entry["address"] = to_string(neighbour.addr);
    entry["mac"] = neighbour.mac.empty() ? Json::Value() : Json::Value(neighbour.mac);
    entry["state"] = neighbour.state;
  }
  return result;
}

Json::Value pools_json(const std::vector<PoolUse>& pools) {
  Json::Value result(Json::arrayValue);
  for (const PoolUse& pool : pools) {
    Json::Value& entry = result.append(Json::objectValue);
    entry["prefix"] = to_string(pool.prefix);
    entry["size"] = pool.size;
    entry["used"] = pool.used;
  }
  return result;
}

Json::Value turns_json(const TurnStatus& turns) {
  Json::Value result = counters_json(turns, kTurnCounters);
  result["longest_part"] = turns.longest_part;
  return result;
}

/// null: nothing is kept.
Json::Value store_json(const StoreStatus& store) {
  if (store.file.empty()) return {};
  Json::Value result(Json::objectValue);
  result["file"] = store.file;
  result["takes_changes"] = store.refusal.empty();
  if (!store.refusal.empty()) result["refusal"] = store.refusal;
  return result;
}

class Status : public Query {
 public:
  bool collect(const RelayFace& relay, const Slice& slice) override {
    if (!ports_.run(relay, slice)) return false;
    uptime_ns_ = relay.uptime_ns();
    public_key_ = relay.public_key();
    udp_ports_ = relay.config().udp_ports;
    polling_ = relay.config().polling;
    sizes_ = relay.config().sizes;
    cores_ = relay.config().worker_cores;
    engine_ = relay.engine();
    engines_ = relay.engines();
    huge_pages_ = relay.uses_huge_pages();
    workers_ = relay.workers();
    load_ = load_json(relay.load());
    users_ = relay.registry().user_count();
    peers_ = relay.registry().peer_count();
    pools_ = relay.registry().address_book().use();
    sessions_ = relay.sessions_in_use();
    handshakes_ = relay.protocol_counters();
    neighbours_ = relay.neighbours();
    neighbour_counters_ = relay.neighbour_counters();
    turns_ = relay.turns();
    store_ = relay.store();
    draining_ = relay.draining();
    return true;
  }

  [[nodiscard]] Json::Value result() const override {
    Json::Value result(Json::objectValue);
    result["version"] = version();
    result["uptime_seconds"] = count(uptime_ns_ / kNsPerSecond);
    result["public_key"] = crypto::to_base64(public_key_);
    Json::Value& listen_ports = result["listen_ports"] = Json::arrayValue;
    for (const uint16_t port : udp_ports_) listen_ports.append(port);
    result["listen_port"] = udp_ports_.front();
    result["engine"] = engine_json(engine_);
    Json::Value& engines = result["engines"] = Json::arrayValue;
    for (const crypto::EngineInfo& engine : engines_) engines.append(engine_json(engine));
    result["x25519_engine"] = engine_json(crypto::chosen_x25519_engine());
    result["huge_pages"] = huge_pages_;
    result["polling"] = polling_ == dataplane::Polling::kBusy ? "busy" : "adaptive";
    result["workers"] = workers_json(workers_, cores_);
    result["load"] = load_;
    result["ports"] = ports_json(ports_.ports());
    result["users"] = count(users_);
    result["peers"] = count(peers_);
    result["sessions"] = sessions_;
    result["address_pools"] = pools_json(pools_);
    Json::Value& sizes = result["sizes"];
    sizes["users"] = sizes_.users;
    sizes["peers"] = sizes_.peers;
    sizes["sessions"] = sizes_.sessions;
    result["handshakes"] = counters_json(handshakes_, kProtocolCounters);
    result["neighbours"] = neighbours_json(neighbours_);
    result["neighbour_counters"] = counters_json(neighbour_counters_, kNeighbourCounters);
    result["control"] = turns_json(turns_);
    result["store"] = store_json(store_);
    result["draining"] = draining_ ? to_json(*draining_) : Json::Value();
    return result;
  }

 private:
  uint64_t uptime_ns_ = 0;
  crypto::PublicKey public_key_{};
  std::vector<uint16_t> udp_ports_;
  dataplane::Polling polling_{};
  dataplane::Sizes sizes_;
  std::vector<unsigned> cores_;
  crypto::EngineInfo engine_;
  std::vector<crypto::EngineInfo> engines_;
  bool huge_pages_ = false;
  Workers workers_;
  Json::Value load_;
  PortList ports_;
  size_t users_ = 0, peers_ = 0;
  std::vector<PoolUse> pools_;
  uint32_t sessions_ = 0;
  ProtocolCounters handshakes_;
  std::vector<NeighbourStatus> neighbours_;
  NeighbourCounters neighbour_counters_;
  TurnStatus turns_;
  StoreStatus store_;
  std::optional<DrainStatus> draining_;
};

Begun get_status(const Json::Value& params) {
  Params(params).finish();
  return std::make_shared<Status>();
}

constexpr std::array kStatusMethods = {
    Method{"status.get", get_status, "{}",
           "the relay: version, engine, workers, ports, users, handshakes"},
};

}  // namespace

std::span<const Method> status_methods() { return kStatusMethods; }

}  // namespace wirelay::ctrl::api
