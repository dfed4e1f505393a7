// One of the generator's two ports: a DPDK device with addresses and next hops.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dataplane/ip.h"
#include "tools/relaygen/neighbour.h"
#include "tools/relaygen/options.h"

namespace wirelay::relaygen {

inline constexpr uint16_t kBurst = 32;

class Port {
 public:
  /// `id`: DPDK's number. `pool`: for what is received, and for single frames that are sent.
  /// `frame_bytes`: the largest Ethernet frame. `patience`: seconds for a memif server to appear.
  /// Throws Failure.
  Port(const PortOptions& options, uint16_t id, uint32_t frame_bytes, rte_mempool* pool,
       unsigned patience);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Addresses that we answer for beside our own.
  void add_owned(const dataplane::Prefix& prefix) { owned_.push_back(prefix); }

  /// Throws Failure after `seconds` without a link.
  void wait_for_link(unsigned seconds) const;

  /// Finds out the MAC address of the next hop towards `far`: its gateway, or itself when it is on
  /// the link. Throws Failure after `seconds` without an answer.
  void resolve(const dataplane::IpAddr& far, unsigned seconds);

  /// The next hop towards addresses of a family; resolve() has found it.
  [[nodiscard]] const rte_ether_addr& next_hop(bool v4) const noexcept {
    return v4 ? next_hop4_ : next_hop6_;
  }
  [[nodiscard]] const rte_ether_addr& mac() const noexcept { return mac_; }

  /// Our address of a family, if there is one.
  [[nodiscard]] std::optional<dataplane::IpAddr> address(bool v4) const;

  uint16_t receive(std::span<rte_mbuf*, kBurst> burst) noexcept {
    return rte_eth_rx_burst(id_, 0, burst.data(), kBurst);
  }
  /// How many were taken; the rest stays the caller's.
  uint16_t send(rte_mbuf** packets, uint16_t count) noexcept {
    return rte_eth_tx_burst(id_, 0, packets, count);
  }
  /// Sends a copy of a frame; one that the port does not take is lost.
  void send_copy(std::span<const uint8_t> frame);

  /// Answers or learns from an ARP or neighbour discovery frame; anything else is ignored.
  void take_neighbour(std::span<const uint8_t> frame);

  /// Packets that this port had no room for: they are lost by the generator, not by the far end.
  [[nodiscard]] uint64_t missed() const;

  /// "tunnel port DEVICE", for messages.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] const char* driver() const noexcept { return driver_; }

 private:
  void configure(uint32_t frame_bytes);
  void start(unsigned patience);
  [[nodiscard]] bool owns(const dataplane::IpAddr& addr) const;
  [[noreturn]] void refuse(const std::string& what, int error) const;

  const PortOptions options_;
  const uint16_t id_;
  rte_mempool* const pool_;
  const char* driver_ = "";
  rte_ether_addr mac_{}, next_hop4_{}, next_hop6_{};
  std::vector<dataplane::Prefix> owned_;
  std::map<dataplane::IpAddr, rte_ether_addr> learned_;
};

}  // namespace wirelay::relaygen
