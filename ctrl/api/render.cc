// Results as JSON.
#include "ctrl/api/render.h"

#include <mutex>
#include <optional>

namespace wirelay::ctrl::api {

namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

Json::Value to_json(const ChangeCounts& counts) {
  Json::Value result(Json::objectValue);
  result["users_added"] = count(counts.users_added);
  result["users_changed"] = count(counts.users_changed);
  result["users_removed"] = count(counts.users_removed);
  result["peers_added"] = count(counts.peers_added);
  result["peers_changed"] = count(counts.peers_changed);
  result["peers_removed"] = count(counts.peers_removed);
  return result;
}

Answer apply_steps(RelayFace& relay, const char* what, std::vector<Step> steps) {
  struct Pending {
    std::mutex mutex;
    std::optional<ChangeOutcome> outcome;
  };
  const auto pending = std::make_shared<Pending>();
  ChangeRequest request;
  request.what = what;
  request.steps = [steps = std::move(steps)](const Registry&, const std::stop_token&) {
    return steps;
  };
  relay.change(std::move(request), [pending](ChangeOutcome outcome) {
    const std::lock_guard lock(pending->mutex);
    pending->outcome = std::move(outcome);
  });
  return [pending]() -> std::optional<Json::Value> {
    const std::lock_guard lock(pending->mutex);
    if (!pending->outcome) return std::nullopt;
    if (pending->outcome->error) std::rethrow_exception(pending->outcome->error);
    return to_json(pending->outcome->counts);
  };
}

Answer apply_items(RelayFace& relay, const char* what, const Json::Value& params, const char* list,
                   ReadSteps read) {
  std::vector<Step> steps;
  read_items(params, list, [&](const Json::Value& value, const Place& place, auto& problems) {
    read(value, place, steps, problems);
  });
  return apply_steps(relay, what, std::move(steps));
}

Json::Value user_entry(RelayFace& relay, const UserSpec& user) {
  const UserStatus now = relay.user_status(user.name);
  Json::Value result = ctrl::to_json(user);
  Json::Value& status = result["status"];
  add_counters(status, now, kUserCounters);
  status["traffic"] = counters_json(now.traffic, kTrafficCounters);
  return result;
}

Json::Value peer_entry(RelayFace& relay, const PeerSpec& peer, PresharedKey preshared_key) {
  const PeerStatus now = relay.peer_status(peer.name);
  Json::Value result = ctrl::to_json(peer, preshared_key);
  result["has_preshared_key"] = peer.preshared_key.has_value();
  Json::Value& status = result["status"];
  status["endpoint"] = now.endpoint ? Json::Value(to_string(*now.endpoint)) : Json::Value();
  status["last_handshake"] = now.last_handshake_unix_ns == 0
                                 ? Json::Value()
                                 : count(now.last_handshake_unix_ns / kNsPerSecond);
  status["has_session"] = now.has_session;
  status["traffic"] = counters_json(now.traffic, kTrafficCounters);
  return result;
}

Json::Value ports_json(const RelayFace& relay) {
  Json::Value result(Json::arrayValue);
  for (const PortStatus& port : relay.ports()) {
    Json::Value& entry = result.append(Json::objectValue);
    entry["name"] = port.name;
    entry["device"] = port.device;
    entry["mac"] = port.mac;
    entry["link_up"] = port.link_up;
    add_counters(entry, port, kPortCounters);
  }
  return result;
}

Json::Value workers_json(const RelayFace& relay) {
  Json::Value result(Json::arrayValue);
  const auto& cores = relay.config().worker_cores;
  for (const dataplane::WorkerCounters* worker : relay.workers()) {
    const Json::ArrayIndex id = result.size();
    Json::Value& entry = result.append(Json::objectValue);
    entry["id"] = id;
    entry["core"] = id < cores.size() ? Json::Value(cores[id]) : Json::Value();
    add_counters(entry, *worker, kWorkerCounters);
  }
  return result;
}

Json::Value to_json(const std::vector<std::string>& texts) {
  Json::Value result(Json::arrayValue);
  for (const std::string& text : texts) result.append(text);
  return result;
}

}  // namespace wirelay::ctrl::api
