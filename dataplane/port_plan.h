// How a port is to be configured: decided from what its device says of itself, before the device is
// touched, so that every decision can be tested without the device.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rte_ethdev.h>

namespace wirelay::dataplane {

/// Of a queue. A NIC goes on receiving while its worker is held up: 4,096 packets are 0.3 ms of 10
/// Gbit/s at their smallest. Software ports wait in the kernel or the other program, and small
/// queues stay in the cache.
constexpr uint16_t default_descriptors(bool hardware) noexcept { return hardware ? 4096 : 1024; }

/// What the relay wants of a port.
struct PortSettings {
  unsigned workers = 1;
  uint16_t mtu = 1500;
  uint16_t rx_descriptors = 0, tx_descriptors = 0;  // of each queue; 0: what suits the device
  bool hardware = false;                            // packets come in without a processor's help
};

struct PortPlan {
  rte_eth_conf conf{};
  uint16_t rx_queues = 0, tx_queues = 0;
  uint16_t rx_descriptors = 0, tx_descriptors = 0;
  uint32_t held_buffers = 0;          // that lie in its receive queues
  std::vector<std::string> warnings;  // what the device lacks

  [[nodiscard]] uint64_t hash() const noexcept { return conf.rx_adv_conf.rss_conf.rss_hf; }
};

/// As many queues as the device offers, at most one a worker; a hash over addresses and ports if
/// there are several; the offloads that help. `info`: as rte_eth_dev_info_get() tells it. No queues
/// in the plan: the device has none to receive or to send by.
PortPlan plan_port(const rte_eth_dev_info& info, const PortSettings& settings);

/// What a hash (RTE_ETH_RSS_*) looks at, of "ip", "tcp", "udp" and "sctp".
std::vector<std::string_view> hash_names(uint64_t hash);

}  // namespace wirelay::dataplane
