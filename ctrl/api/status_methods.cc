// status.get: what runs, and how it is.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "ctrl/base/version.h"

namespace wirelay::ctrl::api {

namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

Json::Value engine_json(const crypto::EngineInfo& engine) {
  Json::Value result(Json::objectValue);
  result["name"] = engine.name;
  result["usable"] = engine.usable;
  result["reason"] = engine.reason;
  return result;
}

Json::Value neighbours_json(const RelayFace& relay) {
  Json::Value result(Json::arrayValue);
  for (const NeighbourStatus& neighbour : relay.neighbours()) {
    if (result.size() == kMaxPage) break;
    Json::Value& entry = result.append(Json::objectValue);
    entry["port"] = neighbour.port;
    entry["address"] = to_string(neighbour.addr);
    entry["mac"] = neighbour.mac.empty() ? Json::Value() : Json::Value(neighbour.mac);
    entry["state"] = neighbour.state;
  }
  return result;
}

Answer get(RelayFace& relay, const Json::Value& params) {
  Params(params).finish();
  Json::Value result(Json::objectValue);
  result["version"] = version();
  result["uptime_seconds"] = count(relay.uptime_ns() / kNsPerSecond);
  result["public_key"] = crypto::to_base64(relay.public_key());
  result["listen_port"] = relay.config().udp_port;
  result["engine"] = engine_json(relay.engine());
  Json::Value& engines = result["engines"] = Json::arrayValue;
  for (const crypto::EngineInfo& engine : relay.engines()) engines.append(engine_json(engine));
  result["huge_pages"] = relay.uses_huge_pages();
  result["polling"] = relay.config().polling == dataplane::Polling::kBusy ? "busy" : "adaptive";
  result["workers"] = workers_json(relay);
  result["ports"] = ports_json(relay);
  result["users"] = count(relay.registry().user_count());
  result["peers"] = count(relay.registry().peer_count());
  result["sessions"] = relay.sessions_in_use();
  Json::Value& sizes = result["sizes"];
  sizes["users"] = relay.config().sizes.users;
  sizes["peers"] = relay.config().sizes.peers;
  sizes["sessions"] = relay.config().sizes.sessions;
  result["handshakes"] = counters_json(relay.protocol_counters(), kProtocolCounters);
  result["neighbours"] = neighbours_json(relay);
  result["neighbour_counters"] = counters_json(relay.neighbour_counters(), kNeighbourCounters);
  return result;
}

constexpr std::array kMethods = {
    Method{"status.get", get, "{}",
           "the relay: version, engine, workers, ports, users, handshakes"},
};

}  // namespace

std::span<const Method> status_methods() { return kMethods; }

}  // namespace wirelay::ctrl::api
