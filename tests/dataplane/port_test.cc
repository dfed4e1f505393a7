// Protects: ports are opened with the queues that there are, and a device that is missing or
// refuses is named in one clear line.
#include <stdexcept>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "dataplane/dataplane.h"
#include "tests/support/ring_port.h"

namespace wirelay::dataplane {

namespace {

void open(Port& port, unsigned workers, rte_mempool* pool) {
  open_port(port, plan_port(device_info(port), {.workers = workers}), Interface::kOurs, pool);
}

std::string failure(Port& port, rte_mempool* pool) {
  try {
    open(port, 1, pool);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

Port named(uint16_t id) {
  Port p;
  p.id = id;
  p.name = "wan";
  return p;
}

}  // namespace

class PortTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PortTest);
  CPPUNIT_TEST(queues_are_one_a_worker_as_far_as_there_are);
  CPPUNIT_TEST(a_missing_port_is_named);
  CPPUNIT_TEST(queues_are_spread_over_workers);
  CPPUNIT_TEST(pools_hold_the_largest_packet);
  CPPUNIT_TEST(pools_that_do_not_fit_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { pool_ = create_pool("port_test", 511, 1500, 1); }
  void tearDown() override { rte_mempool_free(pool_); }

  void queues_are_one_a_worker_as_far_as_there_are() {
    for (const unsigned workers : {1u, 2u, 3u, 8u}) {
      test::RingPort ring(3);
      Port p = named(ring.id());
      open(p, workers, pool_);
      CPPUNIT_ASSERT_EQUAL(std::min(workers, 3u), unsigned{p.rx_queues});
      CPPUNIT_ASSERT_EQUAL(std::min(workers, 3u), unsigned{p.tx_queues});
      CPPUNIT_ASSERT(!p.udp_checksum_offload);
    }
  }

  void a_missing_port_is_named() {
    Port p = named(30);
    const std::string text = failure(p, pool_);
    CPPUNIT_ASSERT_MESSAGE(text, text.find("wan") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(text, text.find("30") != std::string::npos);
  }

  void queues_are_spread_over_workers() {
    std::vector<Port> ports(kMaxPorts);
    for (Port& p : ports) p.mtu = 0;
    for (uint16_t id : {2, 5}) {
      ports[id] = named(id);
      ports[id].rx_queues = 1;
    }
    // Two workers, two ports of one queue: one each.
    auto queues = assign_queues(ports, 2);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, queues[0].size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, queues[1].size());
    CPPUNIT_ASSERT(queues[0][0].port == 2 && queues[1][0].port == 5);
    // A queue for each worker: queue q is worker q's.
    ports[2].rx_queues = ports[5].rx_queues = 4;
    queues = assign_queues(ports, 4);
    for (uint16_t w = 0; w < 4; ++w) {
      CPPUNIT_ASSERT_EQUAL(size_t{2}, queues[w].size());
      CPPUNIT_ASSERT(queues[w][0].queue == w && queues[w][1].queue == w);
    }
  }

  void pools_hold_the_largest_packet() {
    for (const uint16_t mtu : {1280, 1500, 1501, 9000}) {
      rte_mempool* pool = create_pool("port_test_mtu", 63, mtu, 1);
      const unsigned room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
      CPPUNIT_ASSERT(room >= mtu + 14u);
      CPPUNIT_ASSERT_EQUAL(0u, room % 1024);
      rte_mempool_free(pool);
    }
  }

  void pools_that_do_not_fit_are_refused() {
    CPPUNIT_ASSERT_THROW(create_pool("port_test_huge", 10'000'000, 9000, 1), std::runtime_error);
    CPPUNIT_ASSERT_THROW(create_pool("port_test_mtu", 63, 65500, 1), std::runtime_error);
  }

 private:
  rte_mempool* pool_ = nullptr;
};

CPPUNIT_TEST_SUITE_REGISTRATION(PortTest);

}  // namespace wirelay::dataplane
