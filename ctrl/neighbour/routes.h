// Which way an address lies: what the prefix table holds beside the peers' allowed IPs, and the
// next hops of outer paths.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ctrl/config/config.h"
#include "ctrl/neighbour/table.h"
#include "dataplane/dataplane.h"
#include "dataplane/tables/prefix_writer.h"

namespace wirelay::ctrl {

class Routes {
 public:
  /// Enters our addresses, the connected networks, gateways and routes. Throws std::runtime_error
  /// when a table is too small for them.
  Routes(dataplane::Shared& shared, dataplane::PrefixWriter& prefixes, NeighbourTable& table,
         const Config& config);

  /// Sends what is for the neighbour itself straight to it, unless a peer has that very address.
  /// May be repeated: the peer may have lost it since.
  void add_host(uint16_t number);
  void remove_host(uint16_t number);

  /// True when `addr` can be a host on one of the port's networks: not ours, no broadcast address;
  /// and for the port's gateway, which may be outside of them.
  [[nodiscard]] bool on_link(uint16_t port, const dataplane::IpAddr& addr) const;

  /// Where a packet from `remote`, heard on `port`, is answered to; and where one to `remote` goes
  /// that was never heard of. `addr` is the neighbour to send to.
  struct NextHop {
    uint16_t port;
    dataplane::IpAddr addr;
  };
  [[nodiscard]] std::optional<NextHop> next_hop(const dataplane::IpAddr& remote,
                                                const uint16_t* port) const;

  /// Our address to talk to `remote` with by `port`: `wanted` if the port has it, else one that
  /// WireGuard listens on, best of the network that `remote` is in.
  [[nodiscard]] std::optional<dataplane::IpAddr> local_address(
      uint16_t port, const dataplane::IpAddr& remote, const dataplane::IpAddr* wanted) const;

 private:
  struct Gateways {
    std::optional<dataplane::IpAddr> v4, v6;
    bool egress = false;
    [[nodiscard]] const std::optional<dataplane::IpAddr>& of(bool is_v4) const noexcept {
      return is_v4 ? v4 : v6;
    }
  };
  void enter(const dataplane::Prefix& prefix, dataplane::RouteTarget target);
  void enter_port(dataplane::Port& port, const PortConfig& config);
  uint16_t permanent(uint16_t port, const dataplane::IpAddr& addr);
  [[nodiscard]] uint16_t number_of(const std::string& port) const;
  [[nodiscard]] bool in_network(uint16_t port, const dataplane::IpAddr& addr) const;
  [[nodiscard]] std::optional<NextHop> by_port(uint16_t port,
                                               const dataplane::IpAddr& remote) const;

  dataplane::Shared& shared_;
  dataplane::PrefixWriter& prefixes_;
  NeighbourTable& table_;
  std::vector<Gateways> gateways_;  // by DPDK port number
};

}  // namespace wirelay::ctrl
