// The policy of ports, see port_plan.h.
#include "dataplane/port_plan.h"

#include <algorithm>
#include <array>

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kRxOffloads = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;

/// All that drivers may know. Some (i40e, ice) hash by packet type: who asks for UDP alone has all
/// of TCP, which is most of what comes to an egress port, on one queue.
constexpr uint64_t kHash = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;

/// What drivers do not say of themselves.
struct DriverTraits {
  std::string_view name;
  bool checksum_costs = false;  // asked for checksums it leaves its vector code for transmission
  bool spreads = false;         // several queues are shared out without a hash of ours
  bool holds_nothing = false;   // its receive queues take buffers as packets come
};
constexpr std::array kTraits = {
    // Their vector code for transmission is known to be without checksums, or to have them for
    // some processors alone; not tried on hardware. A checksum in software costs less than scalar
    // code for every packet.
    DriverTraits{.name = "net_i40e", .checksum_costs = true},
    DriverTraits{.name = "net_i40e_vf", .checksum_costs = true},
    DriverTraits{.name = "net_ice", .checksum_costs = true},
    DriverTraits{.name = "net_iavf", .checksum_costs = true},
    DriverTraits{.name = "net_ixgbe", .checksum_costs = true},
    DriverTraits{.name = "net_ixgbe_vf", .checksum_costs = true},
    DriverTraits{.name = "net_bnxt", .checksum_costs = true},
    DriverTraits{.name = "net_txgbe", .checksum_costs = true},
    // The kernel's fanout hashes; an AF_XDP queue is one of the NIC's, which the kernel has set up.
    DriverTraits{.name = "net_af_packet", .spreads = true, .holds_nothing = true},
    DriverTraits{.name = "net_af_xdp", .spreads = true},
    // The other program chooses.
    DriverTraits{.name = "net_memif", .spreads = true, .holds_nothing = true},
    DriverTraits{.name = "net_ring", .spreads = true, .holds_nothing = true},
};

DriverTraits traits_of(const char* driver) {
  if (driver == nullptr) return {};
  const auto found = std::ranges::find(kTraits, std::string_view(driver), &DriverTraits::name);
  return found == kTraits.end() ? DriverTraits{} : *found;
}

/// As rte_eth_dev_adjust_nb_rx_tx_desc() has it.
uint16_t fitting(uint16_t wanted, const rte_eth_desc_lim& limit) {
  uint32_t number = wanted;
  if (limit.nb_align > 1) number = (number + limit.nb_align - 1) / limit.nb_align * limit.nb_align;
  if (limit.nb_max != 0) number = std::min<uint32_t>(number, limit.nb_max);
  return static_cast<uint16_t>(std::max<uint32_t>(number, limit.nb_min));
}

uint16_t descriptors(uint16_t configured, bool hardware, const rte_eth_desc_lim& limit) {
  return fitting(configured != 0 ? configured : default_descriptors(hardware), limit);
}

/// What rte_eth_dev_configure() takes. Drivers of software ports name a largest frame of 1,518
/// bytes and care for none.
uint32_t fitting_mtu(uint16_t mtu, const rte_eth_dev_info& info) {
  constexpr uint32_t kEthernet = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  uint32_t most = info.max_mtu;
  if (most == UINT16_MAX && info.max_rx_pktlen > kEthernet + info.min_mtu) {
    most = std::min(most, info.max_rx_pktlen - kEthernet);
  }
  return std::clamp<uint32_t>(mtu, info.min_mtu, std::max<uint32_t>(most, info.min_mtu));
}

void plan_hash(PortPlan& plan, const rte_eth_dev_info& info, const DriverTraits& traits) {
  if (plan.rx_queues < 2) return;
  const uint64_t hash = info.flow_type_rss_offloads & kHash;
  if (hash != 0) {
    plan.conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    plan.conf.rx_adv_conf.rss_conf.rss_hf = hash;
  } else if (!traits.spreads) {
    plan.warnings.push_back(
        std::to_string(plan.rx_queues) +
        " receive queues, but no hash that shares packets out among them: most workers may find "
        "nothing there to do");
  }
}

}  // namespace

PortPlan plan_port(const rte_eth_dev_info& info, const PortSettings& settings) {
  const DriverTraits traits = traits_of(info.driver_name);
  PortPlan plan;
  plan.rx_queues = static_cast<uint16_t>(std::min<unsigned>(info.max_rx_queues, settings.workers));
  plan.tx_queues = static_cast<uint16_t>(std::min<unsigned>(info.max_tx_queues, settings.workers));
  plan.rx_descriptors = descriptors(settings.rx_descriptors, settings.hardware, info.rx_desc_lim);
  plan.tx_descriptors = descriptors(settings.tx_descriptors, settings.hardware, info.tx_desc_lim);
  if (!traits.holds_nothing) plan.held_buffers = uint32_t{plan.rx_queues} * plan.rx_descriptors;
  plan.conf.rxmode.mtu = fitting_mtu(settings.mtu, info);
  plan.conf.rxmode.offloads = info.rx_offload_capa & kRxOffloads;
  // All that is sent comes of one pool, and nobody else holds it.
  uint64_t transmit = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  if (!traits.checksum_costs) transmit |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
  plan.conf.txmode.offloads = info.tx_offload_capa & transmit;
  const uint32_t flags = info.dev_flags == nullptr ? 0 : *info.dev_flags;
  plan.conf.intr_conf.lsc = (flags & RTE_ETH_DEV_INTR_LSC) != 0 ? 1 : 0;
  plan_hash(plan, info, traits);
  return plan;
}

std::vector<std::string_view> hash_names(uint64_t hash) {
  constexpr std::pair<uint64_t, std::string_view> kNames[] = {{RTE_ETH_RSS_IP, "ip"},
                                                              {RTE_ETH_RSS_TCP, "tcp"},
                                                              {RTE_ETH_RSS_UDP, "udp"},
                                                              {RTE_ETH_RSS_SCTP, "sctp"}};
  std::vector<std::string_view> names;
  for (const auto& [bits, name] : kNames) {
    if ((hash & bits) != 0) names.push_back(name);
  }
  return names;
}

}  // namespace wirelay::dataplane
