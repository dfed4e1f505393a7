// What HTTP tells of a relay, as plain data: found on the control thread in slices, read on the
// thread of HTTP.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctrl/api/render.h"
#include "ctrl/http/series.h"
#include "ctrl/relay_face.h"

namespace wirelay::ctrl::http {

/// A router that the configuration names, of a port or of a route.
struct Gateway {
  std::string port;
  dataplane::IpAddr addr;
  bool answers = false;
};

struct Facts {
  crypto::PublicKey public_key{};
  std::string engine;
  bool huge_pages = false;
  uint64_t uptime_ns = 0, tsc_hz = 1;
  std::vector<PortStatus> ports;
  std::vector<Gateway> gateways;
  api::Workers workers;
  std::vector<WorkerLoad> loads;  // of each; empty in the first second
  std::vector<RingDepth> rings;
  size_t users = 0, peers = 0;
  PeerCounts peer_counts;
  uint32_t sessions = 0;
  dataplane::Sizes sizes;
  std::vector<PoolUse> pools;
  ProtocolCounters handshakes;
  NeighbourCounters neighbours;
  TurnStatus turns;
  StoreStatus store;
  std::optional<NatStatus> nat;
  bool draining = false;
  UserSeriesList series;
  bool series_cut = false;
};

/// Control thread.
class FactFinder {
 public:
  /// Goes on; true when all is there.
  bool run(const RelayFace& relay, const Slice& slice);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
  api::PortList ports_;
  SeriesList series_;
  bool ports_there_ = false;
};

}  // namespace wirelay::ctrl::http
