// Protects what is asked of devices: for each driver that people use, with the capabilities that it
// tells of itself in DPDK 22.11, queues, hash, offloads and descriptors are what the relay needs
// and the device grants; what it lacks is told.
#include "dataplane/port_plan.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kChecksums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
constexpr uint64_t kFree = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE, kSum = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;

/// What a device tells, and what is to be made of it with four workers.
struct Device {
  const char* driver;
  bool hardware;
  uint16_t queues;
  uint64_t hash, rx, tx;
  rte_eth_desc_lim limit;
  // The plan.
  uint64_t asked_hash, asked_tx;
  uint16_t descriptors;
  bool warns;
};

rte_eth_dev_info info_of(const Device& device) {
  rte_eth_dev_info info{};
  info.driver_name = device.driver;
  info.max_rx_queues = info.max_tx_queues = device.queues;
  info.flow_type_rss_offloads = device.hash;
  info.rx_offload_capa = device.rx;
  info.tx_offload_capa = device.tx;
  info.rx_desc_lim = info.tx_desc_lim = device.limit;
  info.min_mtu = 68;
  info.max_mtu = UINT16_MAX;
  return info;
}

// Its hash is by packet type: no bit stands for IPv4 as a whole.
constexpr uint64_t kByType = RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
                             RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_SCTP |
                             RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_FRAG_IPV6 |
                             RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP |
                             RTE_ETH_RSS_NONFRAG_IPV6_SCTP | RTE_ETH_RSS_NONFRAG_IPV6_OTHER;
constexpr uint64_t kPlain = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
                            RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 |
                            RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
constexpr uint64_t kMore = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER;

const Device kDevices[] = {
    {"net_i40e",
     true,
     64,
     kByType | RTE_ETH_RSS_L2_PAYLOAD,
     kChecksums | kMore,
     kFree | kSum | RTE_ETH_TX_OFFLOAD_TCP_TSO,
     {4096, 64, 32, 0, 0},
     kByType,
     kFree,
     4096,
     false},
    {"net_ice",
     true,
     64,
     kPlain | RTE_ETH_RSS_GTPU,
     kChecksums | kMore,
     kFree | kSum,
     {4096, 64, 32, 0, 0},
     kPlain,
     kFree,
     4096,
     false},
    {"mlx5_pci",
     true,
     1024,
     kPlain,
     kChecksums | kMore,
     kFree | kSum,
     {65535, 1, 1, 0, 0},
     kPlain,
     kFree | kSum,
     4096,
     false},
    {"net_ixgbe",
     true,
     16,
     kPlain,
     kChecksums | kMore,
     kFree | kSum,
     {4096, 32, 8, 0, 0},
     kPlain,
     kFree,
     4096,
     false},
    {"net_virtio", true, 1, 0, kChecksums, kSum, {32768, 32, 1, 0, 0}, 0, kSum, 4096, false},
    {"net_virtio", true, 4, 0, 0, 0, {32768, 32, 1, 0, 0}, 0, 0, 4096, true},
    {"net_ena",
     true,
     8,
     RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP,
     kChecksums,
     kSum | kFree,
     {1024, 128, 1, 0, 0},
     RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP,
     kSum | kFree,
     1024,
     false},
    {"net_vmxnet3",
     true,
     8,
     RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP,
     kChecksums,
     kSum,
     {4096, 128, 32, 0, 0},
     RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP,
     kSum,
     4096,
     false},
    {"net_af_packet", false, 1, 0, 0, 0, {}, 0, 0, 1024, false},
    {"net_af_packet", false, 4, 0, 0, 0, {}, 0, 0, 1024, false},
    {"net_af_xdp", false, 4, 0, 0, 0, {}, 0, 0, 1024, false},
    {"net_tap", false, 16, kPlain, kChecksums, kSum, {}, kPlain, kSum, 1024, false},
    {"net_memif", false, 256, 0, 0, 0, {}, 0, 0, 1024, false},
};

const Device& device(const char* driver) {
  for (const Device& one : kDevices) {
    if (std::string_view(one.driver) == driver) return one;
  }
  throw std::invalid_argument(driver);
}

}  // namespace

class PortPlanTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PortPlanTest);
  CPPUNIT_TEST(devices);
  CPPUNIT_TEST(one_queue_needs_no_hash);
  CPPUNIT_TEST(descriptors_as_configured);
  CPPUNIT_TEST(buffers_that_lie_in_queues);
  CPPUNIT_TEST(mtu_as_far_as_the_device_says);
  CPPUNIT_TEST(names_of_hashes);
  CPPUNIT_TEST_SUITE_END();

 public:
  void devices() {
    for (const Device& one : kDevices) {
      const PortPlan plan = plan_port(info_of(one), {.workers = 4, .hardware = one.hardware});
      const std::string name = std::string(one.driver) + " of " + std::to_string(one.queues);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, std::min<unsigned>(one.queues, 4),
                                   unsigned{plan.rx_queues});
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, plan.rx_queues, plan.tx_queues);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, one.asked_hash, plan.hash());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, one.rx & kChecksums, plan.conf.rxmode.offloads);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, one.asked_tx, plan.conf.txmode.offloads);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, one.descriptors, plan.rx_descriptors);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, one.descriptors, plan.tx_descriptors);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, one.warns, !plan.warnings.empty());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, plan.hash() != 0,
                                   plan.conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS);
    }
  }

  void one_queue_needs_no_hash() {
    const PortPlan plan = plan_port(info_of(device("net_i40e")), {.workers = 1, .hardware = true});
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, plan.hash());
    CPPUNIT_ASSERT(plan.conf.rxmode.mq_mode == RTE_ETH_MQ_RX_NONE && plan.warnings.empty());
  }

  void descriptors_as_configured() {
    const auto planned = [](const char* driver, uint16_t rx, uint16_t tx) {
      const PortPlan plan = plan_port(
          info_of(device(driver)), {.rx_descriptors = rx, .tx_descriptors = tx, .hardware = true});
      return std::pair(plan.rx_descriptors, plan.tx_descriptors);
    };
    CPPUNIT_ASSERT(planned("net_i40e", 512, 2048) == std::pair(uint16_t{512}, uint16_t{2048}));
    // In the device's steps, between its least and its most.
    CPPUNIT_ASSERT(planned("net_i40e", 1000, 16) == std::pair(uint16_t{1024}, uint16_t{64}));
    CPPUNIT_ASSERT(planned("net_ena", 4096, 0) == std::pair(uint16_t{1024}, uint16_t{1024}));
  }

  void buffers_that_lie_in_queues() {
    const auto held = [](const char* driver, bool hardware) {
      return plan_port(info_of(device(driver)), {.workers = 4, .hardware = hardware}).held_buffers;
    };
    CPPUNIT_ASSERT_EQUAL(4u * 4096, held("net_i40e", true));
    CPPUNIT_ASSERT_EQUAL(4u * 1024, held("net_tap", false));
    CPPUNIT_ASSERT_EQUAL(0u, held("net_af_packet", false));
    CPPUNIT_ASSERT_EQUAL(0u, held("net_memif", false));
  }

  void mtu_as_far_as_the_device_says() {
    rte_eth_dev_info info = info_of(device("net_i40e"));
    const auto planned = [&](uint16_t mtu) {
      return plan_port(info, {.mtu = mtu, .hardware = true}).conf.rxmode.mtu;
    };
    CPPUNIT_ASSERT_EQUAL(9000u, planned(9000));
    info.max_mtu = 1600;
    CPPUNIT_ASSERT_EQUAL(1600u, planned(9000));
    CPPUNIT_ASSERT_EQUAL(1500u, planned(1500));
    // Software ports that only know the largest frame of old.
    info.max_mtu = UINT16_MAX;
    info.max_rx_pktlen = 1518;
    CPPUNIT_ASSERT_EQUAL(1500u, planned(9000));
  }

  void names_of_hashes() {
    CPPUNIT_ASSERT(hash_names(0).empty());
    CPPUNIT_ASSERT((hash_names(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV6_UDP) ==
                    std::vector<std::string_view>{"ip", "udp"}));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PortPlanTest);

}  // namespace wirelay::dataplane
