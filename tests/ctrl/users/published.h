// All that lies between a registry and the tables, for tests: no port, no clock.
#pragma once

#include <memory>

#include <rte_mbuf.h>

#include "ctrl/users/publisher.h"

namespace wirelay::test {

/// Nothing leaves these tests; over IPv4 a route leads everywhere.
class NoSender : public ctrl::PacketSender {
 public:
  void send(rte_mbuf* packet, uint16_t, uint16_t) override { rte_pktmbuf_free(packet); }
  std::optional<Hop> route(const dataplane::IpAddr&, const dataplane::IpAddr*,
                           const uint16_t*) override {
    return Hop{0, 0, 1500, *dataplane::parse_ip("198.51.100.1")};
  }
  void hold(uint16_t) override {}
  void release(uint16_t) override {}
};

inline dataplane::Sizes two_of_each() {
  dataplane::Sizes sizes;
  sizes.users = 2;
  sizes.peers = 2;
  sizes.sessions = 8;
  sizes.prefixes = 16;
  return sizes;
}

/// All that lies between a registry and the tables. Made for each test: DPDK's names are unique.
struct Published {
  struct PoolFree {
    void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
  };
  std::unique_ptr<rte_mempool, PoolFree> pool{dataplane::create_pool("publisher", 255, 1500, 1)};
  dataplane::Shared shared{two_of_each(), 1, 1'000'000'000};
  rte_mempool* shared_pool = shared.pool = pool.get();
  dataplane::PrefixWriter prefixes{shared.prefixes, shared.rcu};
  dataplane::SessionWriter sessions{shared.sessions, shared.rcu};
  dataplane::PeerWriter peers{shared.peers, prefixes, shared.rcu};
  NoSender sender;
  crypto::Identity identity = crypto::make_identity(crypto::Secret(crypto::Bytes32{3}));
  ctrl::Protocol protocol{shared, sessions, peers, sender, identity, 1000};
  ctrl::Publisher publisher{shared, peers, protocol};
  ctrl::Registry registry{{2, 3, 16}};  // more peers than the tables hold
};

}  // namespace wirelay::test
