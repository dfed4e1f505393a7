// Users by our own names, peers by those that exporters for WireGuard give.
#include "ctrl/http/series_metrics.h"

#include "ctrl/base/now.h"
#include "ctrl/host/worker_counters.h"
#include "ctrl/http/metrics.h"

namespace wirelay::ctrl::http {

namespace {

void add_users(Exposition& out, const UserSeriesList& users) {
  add_counters(out, "relay_user", kUserCounters, [&](const auto& add) {
    for (const UserSeries& one : users) add({{"user", one.user.spec->name}}, one.user.status);
  });
  add_counters(out, "relay_user", kTrafficCounters, [&](const auto& add) {
    for (const UserSeries& one : users) {
      add({{"user", one.user.spec->name}}, one.user.status.traffic);
    }
  });
  out.family("relay_user_quota_left_bytes", MetricType::kGauge, "left in the quota's period");
  for (const UserSeries& one : users) {
    const auto& quota = one.user.status.quota;
    if (quota) out.sample({{"user", one.user.spec->name}}, quota->left);
  }
}

/// Calls `add(labels, peer)` for each peer.
template <typename Add>
void for_each_peer(const UserSeriesList& users, const Add& add) {
  for (const UserSeries& one : users) {
    for (const api::PeerView& peer : one.peers) {
      const std::string key = crypto::to_base64(peer.spec->public_key);
      add(Labels{{"interface", kInterface},
                 {"public_key", key},
                 {"user", one.user.spec->name},
                 {"name", peer.spec->name}},
          peer);
    }
  }
}

void add_peers(Exposition& out, const UserSeriesList& users) {
  const auto add = [&](std::string_view name, MetricType type, std::string_view help,
                       const auto& value) {
    out.family(name, type, help);
    for_each_peer(users, [&](const Labels& labels, const api::PeerView& peer) {
      out.sample(labels, value(peer.status));
    });
  };
  add("wireguard_peer", MetricType::kInfo, "a peer, and whose it is",
      [](const PeerStatus&) { return uint64_t{1}; });
  add("wireguard_peer_receive_bytes", MetricType::kCounter, "bytes of inner packets from the peer",
      [](const PeerStatus& status) { return status.traffic.rx_bytes; });
  add("wireguard_peer_transmit_bytes", MetricType::kCounter, "bytes of inner packets to the peer",
      [](const PeerStatus& status) { return status.traffic.tx_bytes; });
  add("wireguard_peer_last_handshake_seconds", MetricType::kGauge,
      "when it was completed, in seconds since 1970; 0: never",
      [](const PeerStatus& status) { return status.last_handshake_unix_ns / kNsPerSecond; });
}

}  // namespace

void add_series(Exposition& out, const Facts& facts) {
  if (facts.series.empty() && !facts.series_cut) return;
  out.single("relay_series_cut", MetricType::kGauge,
             "1: more users and peers are to have series than http.series_limit lets in",
             uint64_t{facts.series_cut});
  add_users(out, facts.series);
  add_peers(out, facts.series);
}

}  // namespace wirelay::ctrl::http
