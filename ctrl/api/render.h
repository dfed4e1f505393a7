// The parts of results that several methods share.
#pragma once

#include <vector>

#include <json/value.h>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/base/json.h"
#include "ctrl/host/worker_counters.h"
#include "ctrl/relay_face.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl::api {

/// Sends the steps through the door as a request `what`, and counts what they did, as config.reload
/// does: {"users_added", "users_changed", "users_removed", "peers_added", ...}.
Answer apply_steps(RelayFace& relay, const char* what, std::vector<Step> steps);
/// The same for what `params` lists under `list` ("users"), or is itself, as `read` reads it.
using ReadSteps = void (*)(const Json::Value&, const Place&, std::vector<Step>&,
                           std::vector<Problem>&);
Answer apply_items(RelayFace& relay, const char* what, const Json::Value& params, const char* list,
                   ReadSteps read);
/// The same with a step `Remove` for each name in `params`.
template <typename Remove>
Answer remove_named(RelayFace& relay, const char* what, const Json::Value& params) {
  std::vector<Step> steps;
  for (Named& named : read_names(params)) {
    steps.push_back({Remove{std::move(named.name)}, std::move(named.path)});
  }
  return apply_steps(relay, what, std::move(steps));
}
Json::Value to_json(const ChangeCounts& counts);

/// USER and what it carried, under "status".
Json::Value user_entry(RelayFace& relay, const UserSpec& user);
/// PEER with "user", and what it carried, under "status".
Json::Value peer_entry(RelayFace& relay, const PeerSpec& peer, PresharedKey preshared_key);

Json::Value ports_json(const RelayFace& relay);
/// By worker: core, polls, packets. In the order of relay.workers().
Json::Value workers_json(const RelayFace& relay);

/// For lists of texts, such as names.
Json::Value to_json(const std::vector<std::string>& texts);

inline Json::Value count(uint64_t n) { return Json::Value(Json::UInt64{n}); }
inline Json::Value count(const dataplane::Counter& counter) { return count(counter.get()); }

/// Every counter of the list `fields` as a field of `to`, with what it counts in `from`.
template <typename Counters, typename Fields>
void add_counters(Json::Value& to, const Counters& from, const Fields& fields) {
  for (const auto& field : fields) at_path(to, field.name) = count(from.*field.member);
}
template <typename Counters, typename Fields>
Json::Value counters_json(const Counters& from, const Fields& fields) {
  Json::Value result(Json::objectValue);
  add_counters(result, from, fields);
  return result;
}

}  // namespace wirelay::ctrl::api
