// What a data path tells of its ports.
#include <fmt/core.h>

#include <rte_ethdev.h>

#include "ctrl/host/datapath.h"

namespace wirelay::ctrl {

namespace {

std::string lower(const char* text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
  return out;
}

/// "rx_ipv4_cksum", "tx_mbuf_fast_free".
std::vector<std::string> offload_names(const rte_eth_conf& conf) {
  std::vector<std::string> names;
  for (uint64_t left = conf.rxmode.offloads; left != 0; left &= left - 1) {
    names.push_back("rx_" + lower(rte_eth_dev_rx_offload_name(left & -left)));
  }
  for (uint64_t left = conf.txmode.offloads; left != 0; left &= left - 1) {
    names.push_back("tx_" + lower(rte_eth_dev_tx_offload_name(left & -left)));
  }
  return names;
}

void describe_device(uint16_t id, const dataplane::PortPlan& plan, PortStatus& status) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id, &info) == 0 && info.driver_name != nullptr) {
    status.driver = info.driver_name;
  }
  for (const std::string_view name : dataplane::hash_names(plan.hash())) {
    status.hash.emplace_back(name);
  }
  status.offloads = offload_names(plan.conf);
  status.rx_queues = plan.rx_queues;
  status.tx_queues = plan.tx_queues;
  status.rx_descriptors = plan.rx_descriptors;
  status.tx_descriptors = plan.tx_descriptors;
  if (const int node = rte_eth_dev_socket_id(id); node >= 0) {
    status.node = static_cast<unsigned>(node);
  }
}

const char* role_of(const dataplane::Port& port) {
  if (port.takes_tunnels && port.takes_plain) return "both";
  return port.takes_tunnels ? "tunnel" : "egress";
}

}  // namespace

std::string mac_text(const rte_ether_addr& mac) {
  const uint8_t* b = mac.addr_bytes;
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4],
                     b[5]);
}

PortStatus Datapath::port_status(size_t i) const {
  const OpenPort& open = open_[i];
  const dataplane::Port& port = shared_->ports[open.id];
  PortStatus status;
  status.name = port.name;
  status.device = open.device;
  status.mac = mac_text(port.mac);
  status.mtu = port.mtu;
  status.role = role_of(port);
  status.link_up = (shared_->ports_down.load(std::memory_order_relaxed) >> open.id & 1) == 0;
  describe_device(open.id, open.plan, status);
  if (rte_eth_stats stats{}; rte_eth_stats_get(open.id, &stats) == 0) {
    status.rx_packets = stats.ipackets;
    status.rx_bytes = stats.ibytes;
    status.rx_missed = stats.imissed;
    status.rx_no_buffer = stats.rx_nombuf;
    status.rx_errors = stats.ierrors;
    status.tx_packets = stats.opackets;
    status.tx_bytes = stats.obytes;
    status.tx_errors = stats.oerrors;
  }
  return status;
}

}  // namespace wirelay::ctrl
