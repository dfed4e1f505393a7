// The parts of results that several methods share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <json/value.h>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/base/json.h"
#include "ctrl/host/worker_counters.h"
#include "ctrl/relay_face.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl::api {

/// {"users_added", "users_changed", "users_removed", "peers_added", ...}
Json::Value to_json(const ChangeCounts& counts);

/// {"connected", "seconds_left"}
Json::Value to_json(const DrainStatus& drain);

struct PeerView {
  PeerPtr spec;
  PeerStatus status;
};
/// A user, and what it carried over all its peers.
struct UserView {
  UserPtr spec;
  UserStatus status;
};

/// Fills in views on the control thread, in slices.
class UserSum {
 public:
  /// Goes on with the sum over the peers of `user`; true when it is complete.
  bool run(const RelayFace& relay, UserView& user, const Slice& slice);

 private:
  std::optional<std::string> last_;  // peer that is in the sum; none when it has not begun
};

/// USER and what it carried, under "status".
Json::Value user_entry(const UserView& user);
/// PEER with "user", and what it carried, under "status".
Json::Value peer_entry(const PeerView& peer, PresharedKey preshared_key);

/// Asks for ports on the control thread, in slices.
class PortList {
 public:
  /// Goes on with the ports of `relay`; true when all are there.
  bool run(const RelayFace& relay, const Slice& slice);
  [[nodiscard]] const std::vector<PortStatus>& ports() const noexcept { return ports_; }

 private:
  std::vector<PortStatus> ports_;
};
/// What every list of ports tells of one.
Json::Value port_entry(const PortStatus& port);
Json::Value ports_json(const std::vector<PortStatus>& ports);
/// Counters that any thread may read.
using Workers = std::vector<const dataplane::WorkerCounters*>;
/// By worker: core, polls, packets.
Json::Value workers_json(const Workers& workers, const std::vector<unsigned>& cores);
/// How much of the relay is in use, and how long packets are in it: {"busy_percent",
/// "headroom_percent", "workers", "time_us"}; null in the first second.
Json::Value load_json(const LoadMeter& load);

/// Cuts `views`, of which one more than `limit` was looked for; true when there was one.
template <typename View>
bool cut_page(std::vector<View>& views, size_t limit) {
  if (views.size() <= limit) return false;
  views.pop_back();
  return true;
}

/// A page of a list: {`list`: [each of `views` as `entry` makes it], "next", "total"}. `next`,
/// where another page follows, is the name of the last.
template <typename View, typename Entry>
Json::Value page_json(const char* list, const std::vector<View>& views, const Entry& entry,
                      bool more, size_t total) {
  Json::Value result(Json::objectValue);
  Json::Value& entries = result[list] = Json::arrayValue;
  for (const View& view : views) entries.append(entry(view));
  result["next"] = more ? Json::Value(views.back().spec->name) : Json::Value();
  result["total"] = Json::UInt64{total};
  return result;
}

/// For lists of texts, such as names.
Json::Value to_json(const std::vector<std::string>& texts);
/// "warnings" of a result, where there are any.
void add_warnings(Json::Value& result, const std::vector<std::string>& warnings);

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
