// Results as JSON.
#include "ctrl/api/render.h"

#include <cmath>

namespace wirelay::ctrl::api {

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

Json::Value to_json(const DrainStatus& drain) {
  Json::Value result(Json::objectValue);
  result["connected"] = count(drain.connected);
  result["seconds_left"] = count(drain.seconds_left);
  return result;
}

bool UserSum::run(const RelayFace& relay, UserView& user, const Slice& slice) {
  const std::string& name = user.spec->name;
  if (!last_) user.status = relay.user_status(name);
  const auto& peers = relay.registry().peers_of(name);
  for (auto peer = last_ ? peers.upper_bound(*last_) : peers.begin(); peer != peers.end(); ++peer) {
    const PeerStatus one = relay.peer_status(*peer);
    user.status.traffic += one.traffic;
    ++user.status.peers;
    user.status.peers_connected += one.has_session ? 1 : 0;
    if (slice.over()) {
      last_ = *peer;
      return false;
    }
  }
  last_.reset();
  return true;
}

namespace {

Json::Value quota_json(const QuotaStatus& quota) {
  Json::Value result(Json::objectValue);
  result["used_up"] = count(quota.used.up);
  result["used_down"] = count(quota.used.down);
  result["left"] = count(quota.left);
  result["over"] = quota.over;
  result["period_end"] = quota.period_end == 0 ? Json::Value() : count(quota.period_end);
  return result;
}

Json::Value expiry_json(const ExpiryStatus& expiry) {
  Json::Value result(Json::objectValue);
  const auto moment = [](uint64_t seconds) {
    return seconds == 0 ? Json::Value() : count(seconds);
  };
  result["at"] = moment(expiry.at);
  result["first_handshake"] = moment(expiry.first_handshake);
  result["expired"] = expiry.expired;
  return result;
}

}  // namespace

Json::Value user_entry(const UserView& user) {
  const UserStatus& now = user.status;
  Json::Value result = ctrl::to_json(*user.spec);
  Json::Value& status = result["status"];
  status["origin"] = std::string(text_of(user.spec->origin));
  add_counters(status, now, kUserCounters);
  status["traffic"] = counters_json(now.traffic, kTrafficCounters);
  if (now.quota) status["quota"] = quota_json(*now.quota);
  if (now.expiry) status["expiry"] = expiry_json(*now.expiry);
  return result;
}

Json::Value peer_entry(const PeerView& peer, PresharedKey preshared_key) {
  const PeerStatus& now = peer.status;
  Json::Value result = ctrl::to_json(*peer.spec, preshared_key);
  result["has_preshared_key"] = peer.spec->preshared_key.has_value();
  Json::Value& status = result["status"];
  status["origin"] = std::string(text_of(peer.spec->origin));
  status["endpoint"] = now.endpoint ? Json::Value(to_string(*now.endpoint)) : Json::Value();
  status["path_mtu"] = now.path_mtu == 0 ? Json::Value() : Json::Value(now.path_mtu);
  status["last_handshake"] = now.last_handshake_unix_ns == 0
                                 ? Json::Value()
                                 : count(now.last_handshake_unix_ns / kNsPerSecond);
  Json::Value& clock = status["refused_clock"] = Json::Value();
  if (now.refused_time != 0) {
    clock["time"] = count(now.refused_time);
    clock["last"] = count(now.last_time);
  }
  status["has_session"] = now.has_session;
  status["traffic"] = counters_json(now.traffic, kTrafficCounters);
  return result;
}

bool PortList::run(const RelayFace& relay, const Slice& slice) {
  while (ports_.size() < relay.port_count()) {
    ports_.push_back(relay.port(ports_.size()));
    if (slice.over()) break;
  }
  return ports_.size() == relay.port_count();
}

Json::Value port_entry(const PortStatus& port) {
  Json::Value entry(Json::objectValue);
  entry["name"] = port.name;
  entry["device"] = port.device;
  entry["mac"] = port.mac;
  entry["link_up"] = port.link_up;
  entry["mtu"] = port.mtu;
  add_counters(entry, port, kPortCounters);
  return entry;
}

Json::Value ports_json(const std::vector<PortStatus>& ports) {
  Json::Value result(Json::arrayValue);
  for (const PortStatus& port : ports) result.append(port_entry(port));
  return result;
}

Json::Value workers_json(const Workers& workers, const std::vector<unsigned>& cores) {
  Json::Value result(Json::arrayValue);
  for (const dataplane::WorkerCounters* worker : workers) {
    const Json::ArrayIndex id = result.size();
    Json::Value& entry = result.append(Json::objectValue);
    entry["id"] = id;
    entry["core"] = id < cores.size() ? Json::Value(cores[id]) : Json::Value();
    add_counters(entry, *worker, kWorkerCounters);
  }
  return result;
}

Json::Value load_json(const LoadMeter& load) {
  if (!load.known()) return {};
  const auto rounded = [](double value) { return std::round(value * 10) / 10; };
  Json::Value result(Json::objectValue);
  result["busy_percent"] = rounded(load.busiest() * 100);
  result["headroom_percent"] = rounded((1 - load.busiest()) * 100);
  Json::Value& workers = result["workers"] = Json::arrayValue;
  for (const WorkerLoad& worker : load.workers()) {
    Json::Value& entry = workers.append(Json::objectValue);
    entry["id"] = workers.size() - 1;
    entry["busy_percent"] = rounded(worker.busy * 100);
    entry["full_bursts_percent"] = rounded(worker.full_bursts * 100);
    entry["queued"] = worker.queued ? Json::Value(rounded(*worker.queued)) : Json::Value();
  }
  Json::Value& time = result["time_us"] = Json::Value();
  if (load.times()) {
    time["p50"] = rounded(load.times()->p50 / 1000);
    time["p99"] = rounded(load.times()->p99 / 1000);
  }
  return result;
}

Json::Value to_json(const std::vector<std::string>& texts) {
  Json::Value result(Json::arrayValue);
  for (const std::string& text : texts) result.append(text);
  return result;
}

void add_warnings(Json::Value& result, const std::vector<std::string>& warnings) {
  if (!warnings.empty()) result["warnings"] = to_json(warnings);
}

}  // namespace wirelay::ctrl::api
