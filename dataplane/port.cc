// Opening and closing DPDK Ethernet ports, see port.h.
#include "dataplane/port.h"

#include <cstdlib>
#include <stdexcept>

namespace wirelay::dataplane {

namespace {

[[noreturn]] void refuse(const Port& port, const std::string& what, int error) {
  throw std::runtime_error("port " + port.name + ": " + what + ": " +
                           rte_strerror(std::abs(error)));
}

std::string warning(const std::string& what, int error) {
  return what + ": " + rte_strerror(std::abs(error));
}

void set_up_queues(const Port& port, const PortPlan& plan, rte_mempool* pool) {
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(port.id));
  for (uint16_t q = 0; q < plan.rx_queues; ++q) {
    const int error =
        rte_eth_rx_queue_setup(port.id, q, plan.rx_descriptors, socket, nullptr, pool);
    if (error != 0) refuse(port, "receive queue " + std::to_string(q), error);
  }
  for (uint16_t q = 0; q < plan.tx_queues; ++q) {
    const int error = rte_eth_tx_queue_setup(port.id, q, plan.tx_descriptors, socket, nullptr);
    if (error != 0) refuse(port, "transmit queue " + std::to_string(q), error);
  }
}

/// What drivers may lack: software ports take any size and listen to everything.
void set_modes(const Port& port, std::vector<std::string>& warnings) {
  uint16_t mtu = 0;
  const int error = rte_eth_dev_set_mtu(port.id, port.mtu);
  if (error != 0 && (rte_eth_dev_get_mtu(port.id, &mtu) != 0 || mtu < port.mtu)) {
    warnings.push_back(warning("cannot set the MTU to " + std::to_string(port.mtu), error));
  }
  rte_eth_promiscuous_disable(port.id);  // refused by drivers that know no such mode
  int deaf = rte_eth_allmulticast_enable(port.id);
  if (deaf == -ENOTSUP) deaf = rte_eth_promiscuous_enable(port.id);
  if (deaf != 0 && deaf != -ENOTSUP) {  // a driver that knows neither mode filters nothing
    warnings.push_back(warning("cannot ask for all multicast, neighbour discovery needs it", deaf));
  }
}

}  // namespace

rte_eth_dev_info device_info(const Port& port) {
  rte_eth_dev_info info{};
  const int error = rte_eth_dev_info_get(port.id, &info);
  if (error != 0) refuse(port, "no such DPDK port " + std::to_string(port.id), error);
  return info;
}

std::vector<std::string> open_port(Port& port, const PortPlan& plan, Interface interface,
                                   rte_mempool* pool) {
  if (plan.rx_queues == 0 || plan.tx_queues == 0) {
    throw std::runtime_error("port " + port.name +
                             ": device has no queues to receive or to send by");
  }
  int error = rte_eth_dev_configure(port.id, plan.rx_queues, plan.tx_queues, &plan.conf);
  if (error != 0) refuse(port, "configuration", error);
  port.rx_queues = plan.rx_queues;
  port.tx_queues = plan.tx_queues;
  port.udp_checksum_offload = (plan.conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;

  set_up_queues(port, plan, pool);
  std::vector<std::string> warnings = plan.warnings;
  if (interface == Interface::kOurs) set_modes(port, warnings);
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
