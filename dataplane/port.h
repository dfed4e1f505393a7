// A DPDK Ethernet port: what workers need to know of it, and how it is opened.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <rte_ether.h>
#include <rte_mempool.h>

#include "dataplane/burst.h"
#include "dataplane/ip.h"
#include "dataplane/port_plan.h"

namespace wirelay::dataplane {

inline constexpr uint16_t kMaxPorts = 16;
inline constexpr size_t kMaxPortAddresses = 8;

/// Constant after start; read by workers. One of our addresses on this port and its network.
struct PortAddress {
  IpAddr addr;
  Prefix network;
  bool listens = true;  // takes WireGuard's packets
};

struct RxQueue {
  uint16_t port;
  uint16_t queue;
};

struct Port {
  uint16_t id = 0;  // DPDK port
  uint16_t mtu = 1500;
  uint16_t rx_queues = 1, tx_queues = 1;
  bool udp_checksum_offload = false;  // the NIC computes outer UDP checksums
  bool takes_tunnels = true;          // WireGuard is served there
  bool takes_plain = true;            // what comes by it is forwarded to peers
  bool translates = false;            // what peers send out by it is NAT44's, where it is IPv4
  rte_ether_addr mac{};
  uint16_t gateway4 = kNoAdjacency, gateway6 = kNoAdjacency;  // next hops to what is not on a link
  std::vector<PortAddress> addresses;  // at most kMaxPortAddresses, link-local among them
  std::vector<Prefix> pools;           // public addresses of NAT44, where it translates
  std::string name;                    // from the configuration

  [[nodiscard]] const PortAddress* find(const IpAddr& addr) const noexcept {
    for (const PortAddress& a : addresses) {
      if (a.addr == addr) return &a;
    }
    return nullptr;
  }
  [[nodiscard]] bool owns(const IpAddr& addr) const noexcept { return find(addr) != nullptr; }
  /// Whether who asks on its network for this address is to be told the port's MAC.
  [[nodiscard]] bool answers_for(const IpAddr& addr) const noexcept {
    if (owns(addr)) return true;
    for (const Prefix& pool : pools) {
      if (pool.contains(addr)) return true;
    }
    return false;
  }
};

/// What the device of `port.id` says of itself. Throws std::runtime_error if there is none.
rte_eth_dev_info device_info(const Port& port);

/// Whose the interface of a port is. MTU and modes of one that is the kernel's are not set.
enum class Interface : uint8_t { kOurs, kBorrowed };

/// Configures and starts the DPDK port `port.id` as planned. Fills queues, mac and offloads. Throws
/// std::runtime_error that says what the device refused; returns the plan's warnings and what the
/// device refused that the relay can do without.
std::vector<std::string> open_port(Port& port, const PortPlan& plan, Interface interface,
                                   rte_mempool* pool);
void close_port(const Port& port) noexcept;

}  // namespace wirelay::dataplane
