// What is missing, in words.
#include "ctrl/http/readiness.h"

#include <fmt/format.h>

#include "ctrl/base/json.h"

namespace wirelay::ctrl::http {

std::vector<std::string> missing_of(const Facts& facts) {
  std::vector<std::string> missing;
  for (const PortStatus& port : facts.ports) {
    if (!port.link_up) missing.push_back(fmt::format("port {} has no link", port.name));
  }
  for (const Gateway& gateway : facts.gateways) {
    if (gateway.answers) continue;
    missing.push_back(fmt::format("gateway {} of port {} does not answer", to_string(gateway.addr),
                                  gateway.port));
  }
  if (!facts.store.refusal.empty()) {
    missing.push_back(fmt::format("the store takes no changes: {}", facts.store.refusal));
  }
  if (facts.draining) missing.emplace_back("the relay takes no new sessions");
  return missing;
}

std::string ready_text(const std::vector<std::string>& missing) {
  Json::Value result(Json::objectValue);
  result["ready"] = missing.empty();
  result["missing"] = api::to_json(missing);
  return write_json(result) + '\n';
}

TurningWorkers::TurningWorkers(api::Workers workers) : workers_(std::move(workers)) {
  for (const dataplane::WorkerCounters* worker : workers_) polls_.push_back(worker->polls.get());
}

std::vector<std::string> TurningWorkers::standing() const {
  std::vector<std::string> standing;
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i]->polls.get() != polls_[i]) continue;
    standing.push_back(fmt::format("worker {} does not turn", i));
  }
  return standing;
}

}  // namespace wirelay::ctrl::http
