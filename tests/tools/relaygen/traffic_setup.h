// relaygen's parts put together between the rings of an endpoint in miniature.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "tests/tools/relaygen/far_end.h"
#include "tools/relaygen/clients.h"
#include "tools/relaygen/handshaker.h"
#include "tools/relaygen/peers_command.h"
#include "tools/relaygen/port.h"
#include "tools/relaygen/receiver.h"
#include "tools/relaygen/round.h"

namespace wirelay::relaygen {

inline constexpr uint32_t kPeers = 6;

inline rte_mempool* packets() {
  static rte_mempool* pool =
      rte_pktmbuf_pool_create("traffic_test", 16383, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM, 0);
  return pool;
}

inline PortOptions port_options(const char* role, const char* addr) {
  PortOptions options;
  options.role = options.device = role;
  options.addresses = {parse_interface("ip", addr)};
  options.gateway_mac = rte_ether_addr{{2, 0, 0, 0, 0, 9}};
  return options;
}

inline std::vector<Identity> identities() {
  PeersOptions options;
  options.count = kPeers;
  options.prefixes = {dataplane::parse_prefix("10.64.0.0/24").value()};
  options.preshared = true;
  return make_identities(options);
}

/// relaygen's parts between the rings of a far end.
struct Setup {
  explicit Setup(double retry = 5, double give_up = 60, double rate = 0)
      : peers(identities()),
        far(peers, packets()),
        remote(dataplane::parse_endpoint("198.51.100.1:51820").value()),
        tunnel(port_options("tunnel", "198.51.100.2/24"), far.tunnel.id(), 1600, packets(), 0),
        plain(port_options("plain", "192.0.2.1/24"), far.plain.id(), 1600, packets(), 0),
        clients(peers, far.public_key(), dataplane::parse_prefix("198.51.100.2").value(),
                Family::k4, {dataplane::parse_ip("192.0.2.1").value()}),
        engine(crypto::make_engine("libsodium")),
        side(tunnel, remote),
        handshaker(clients, side, *engine,
                   {.window = 4, .rate = rate, .retry = retry, .give_up = give_up}),
        receiver(clients, handshaker, *engine, tunnel, &plain, remote, 1),
        maker(clients, *engine, packets(), tunnel, &plain, remote, 1420) {}

  HandshakeResult bring_up(bool ahead = false) {
    std::vector<uint32_t> all(kPeers);
    std::iota(all.begin(), all.end(), 0u);
    const auto result = handshaker.bring_up(
        all, ahead,
        [this] {
          far.step();
          return receiver.poll();
        },
        progress);
    far.step();
    return result;
  }

  /// Sends a round; what reaches the far end stands in its `inner` or comes by take_plain().
  void send_round(Mode mode, uint32_t count) {
    Spread spread(Spread::Kind::kRoundRobin, kPeers, 0);
    maker.make(round, count, mode, SizeMix::parse("imix"), spread, random, std::nullopt);
    receiver.expect(round, mode, 0, false);
    Port& port = mode == Mode::kDown ? plain : tunnel;
    for (uint32_t at = 0; at < count;) {
      const auto burst = static_cast<uint16_t>(std::min<uint32_t>(kBurst, count - at));
      at += port.send(&round.frames[at], burst);
    }
    far.inner.clear();
    far.inner_peers.clear();
    far.step();
  }

  Counts receive_all() {
    while (receiver.poll() > 0) {
    }
    return receiver.take_counts();
  }

  Progress progress;
  std::vector<Identity> peers;
  FarEnd far;
  dataplane::Endpoint remote;
  Port tunnel, plain;
  Clients clients;
  std::unique_ptr<crypto::AeadEngine> engine;
  TunnelSide side;
  Handshaker handshaker;
  Receiver receiver;
  RoundMaker maker;
  Round round;
  Random random{1};
};

}  // namespace wirelay::relaygen
