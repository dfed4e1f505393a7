// Opening and closing DPDK Ethernet ports, see port.h.
#include "dataplane/port.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <rte_ethdev.h>

namespace wirelay::dataplane {

namespace {

constexpr uint16_t kDescriptors = 1024;
constexpr uint64_t kRxOffloads = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;

[[noreturn]] void refuse(const Port& port, const std::string& what, int error) {
  throw std::runtime_error("port " + port.name + ": " + what + ": " +
                           rte_strerror(std::abs(error)));
}

std::string warning(const Port& port, const std::string& what, int error) {
  return "port " + port.name + ": " + what + ": " + rte_strerror(std::abs(error));
}

rte_eth_conf make_conf(const Port& port, const rte_eth_dev_info& info) {
  rte_eth_conf conf{};
  const uint64_t hash = info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
  if (port.rx_queues > 1 && hash != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = hash;
  }
  conf.rxmode.mtu = std::clamp<uint32_t>(port.mtu, info.min_mtu, info.max_mtu);
  conf.rxmode.offloads = info.rx_offload_capa & kRxOffloads;
  conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
  return conf;
}

void set_up_queues(const Port& port, rte_mempool* pool) {
  uint16_t rx = kDescriptors, tx = kDescriptors;
  int error = rte_eth_dev_adjust_nb_rx_tx_desc(port.id, &rx, &tx);
  if (error != 0) refuse(port, "queue sizes", error);
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(port.id));
  for (uint16_t q = 0; q < port.rx_queues; ++q) {
    error = rte_eth_rx_queue_setup(port.id, q, rx, socket, nullptr, pool);
    if (error != 0) refuse(port, "receive queue " + std::to_string(q), error);
  }
  for (uint16_t q = 0; q < port.tx_queues; ++q) {
    error = rte_eth_tx_queue_setup(port.id, q, tx, socket, nullptr);
    if (error != 0) refuse(port, "transmit queue " + std::to_string(q), error);
  }
}

/// What drivers may lack: software ports take any size and listen to everything.
std::vector<std::string> set_modes(const Port& port) {
  std::vector<std::string> warnings;
  uint16_t mtu = 0;
  const int error = rte_eth_dev_set_mtu(port.id, port.mtu);
  if (error != 0 && (rte_eth_dev_get_mtu(port.id, &mtu) != 0 || mtu < port.mtu)) {
    warnings.push_back(warning(port, "cannot set the MTU to " + std::to_string(port.mtu), error));
  }
  rte_eth_promiscuous_disable(port.id);  // refused by drivers that know no such mode
  int deaf = rte_eth_allmulticast_enable(port.id);
  if (deaf == -ENOTSUP) deaf = rte_eth_promiscuous_enable(port.id);
  if (deaf != 0 && deaf != -ENOTSUP) {  // a driver that knows neither mode filters nothing
    warnings.push_back(
        warning(port, "cannot ask for all multicast, neighbour discovery needs it", deaf));
  }
  return warnings;
}

}  // namespace

std::vector<std::string> open_port(Port& port, unsigned workers, rte_mempool* pool) {
  rte_eth_dev_info info{};
  int error = rte_eth_dev_info_get(port.id, &info);
  if (error != 0) refuse(port, "no such DPDK port " + std::to_string(port.id), error);
  port.rx_queues = static_cast<uint16_t>(std::min<unsigned>(info.max_rx_queues, workers));
  port.tx_queues = static_cast<uint16_t>(std::min<unsigned>(info.max_tx_queues, workers));
  if (port.rx_queues == 0 || port.tx_queues == 0) {
    throw std::runtime_error("port " + port.name +
                             ": device has no queues to receive or to send by");
  }
  const rte_eth_conf conf = make_conf(port, info);
  error = rte_eth_dev_configure(port.id, port.rx_queues, port.tx_queues, &conf);
  if (error != 0) refuse(port, "configuration", error);
  port.udp_checksum_offload = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;

  set_up_queues(port, pool);
  std::vector<std::string> warnings = set_modes(port);
  error = rte_eth_dev_start(port.id);
  if (error != 0) refuse(port, "start", error);
  error = rte_eth_macaddr_get(port.id, &port.mac);
  if (error != 0) refuse(port, "MAC address", error);
  return warnings;
}

void close_port(const Port& port) noexcept {
  rte_eth_dev_stop(port.id);
  rte_eth_dev_close(port.id);
}

}  // namespace wirelay::dataplane
