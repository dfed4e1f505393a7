// Next hops on the ports: ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861), asking for what we
// need, answering for what is ours, and holding a few packets meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ctrl/base/now.h"
#include "ctrl/config/config.h"
#include "ctrl/neighbour/counters.h"
#include "ctrl/packets/packet_sender.h"
#include "dataplane/dataplane.h"
#include "dataplane/mailbox.h"
#include "dataplane/port.h"
#include "dataplane/tables/prefix_writer.h"

namespace wirelay::ctrl {

struct NeighbourStatus {
  std::string port;
  dataplane::IpAddr addr;
  std::string mac;    // empty while unresolved
  std::string state;  // "resolved", "probing", "silent" (a gateway in use), "failed"
};

/// The link-local address of a port (RFC 4291, appendix A: from its MAC), with its network. Ports
/// with IPv6 have it among their addresses: neighbour discovery asks from it.
dataplane::PortAddress link_local_address(const rte_ether_addr& mac) noexcept;

class Neighbours : public PacketSender {
 public:
  /// Enters local addresses, connected networks, gateways and routes of `config` into the prefix
  /// table; the first tick() asks for the gateways. `shared` has its ports, with addresses and
  /// MACs, and its pool. Throws std::runtime_error when a table is too small.
  Neighbours(dataplane::Shared& shared, dataplane::PrefixWriter& prefixes, const Config& config);
  ~Neighbours() override;

  /// `hear` is told of a gateway that does not answer, or answers again.
  using OnGateway =
      std::function<void(const std::string& port, const dataplane::IpAddr& gateway, bool answers)>;
  void watch_gateways(OnGateway hear);

  /// ARP and ND frames, and packets that wait for a next hop. Owns the mbuf.
  void handle(const dataplane::Punt& punt, const Now& now);
  /// Retries each second while unresolved, gives up after some, refreshes the resolved before they
  /// grow stale, forgets unused hosts. Call every 10 ms or so; each call looks at a part of them,
  /// ten at all.
  void tick(const Now& now);
  /// The port, by its DPDK number, has a link: its networks are told of our addresses.
  void announce(uint16_t port, const Now& now);

  void send(rte_mbuf* packet, uint16_t port, uint16_t adjacency) override;
  std::optional<Hop> route(const dataplane::IpAddr& remote, const dataplane::IpAddr* local,
                           const uint16_t* port) override;
  void hold(uint16_t adjacency) override;
  void release(uint16_t adjacency) override;

  /// Of the first thousand, gateways among them.
  [[nodiscard]] std::vector<NeighbourStatus> status() const;
  [[nodiscard]] const NeighbourCounters& counters() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wirelay::ctrl
