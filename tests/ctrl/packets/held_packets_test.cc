// Protects: that waiting packets are bounded, for each and altogether, that the oldest go
// first, and that every buffer is given back.
#include "ctrl/packets/held_packets.h"

#include <cppunit/extensions/HelperMacros.h>

#include <rte_mempool.h>

namespace wirelay::test {

using ctrl::HeldPackets;

class HeldPacketsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HeldPacketsTest);
  CPPUNIT_TEST(bounded_for_each);
  CPPUNIT_TEST(bounded_altogether);
  CPPUNIT_TEST(each_gets_its_own);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    pool_ = rte_pktmbuf_pool_create("held_packets_test", 8191, 0, 0, 256, SOCKET_ID_ANY);
    CPPUNIT_ASSERT(pool_ != nullptr);
    held_ = std::make_unique<HeldPackets>(kMostForOne, kMost);
  }
  void tearDown() override {
    held_.reset();
    CPPUNIT_ASSERT_EQUAL(0u, rte_mempool_in_use_count(pool_));
    rte_mempool_free(pool_);
  }

  void bounded_for_each() {
    for (uint16_t i = 0; i < 40; ++i) {
      CPPUNIT_ASSERT_EQUAL(size_t{i >= kMostForOne}, held_->hold(5, packet(i)));
    }
    CPPUNIT_ASSERT_EQUAL(kMostForOne, held_->size());
    check(5, 24, 40);
  }

  void bounded_altogether() {
    // Each peer has one more packet than fits, in turns: the oldest of all is given up.
    uint16_t next = 0;
    size_t given_up = 0;
    for (uint32_t i = 0; i < kMost + 100; ++i) given_up += held_->hold(i, packet(next++));
    CPPUNIT_ASSERT_EQUAL(size_t{100}, given_up);
    CPPUNIT_ASSERT_EQUAL(kMost, held_->size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, held_->drop(99));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, held_->drop(100));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, held_->drop(100));
  }

  void each_gets_its_own() {
    for (uint16_t i = 0; i < 10; ++i) held_->hold(i % 2, packet(i));
    CPPUNIT_ASSERT_EQUAL(size_t{5}, held_->drop(0));
    const auto packets = held_->take(1);
    CPPUNIT_ASSERT_EQUAL(size_t{5}, packets.size());
    for (uint16_t i = 0; i < 5; ++i) {
      CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(2 * i + 1), packets[i]->port);
      rte_pktmbuf_free(packets[i]);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, held_->size());
  }

 private:
  static constexpr size_t kMostForOne = 16, kMost = 4096;

  rte_mbuf* packet(uint16_t mark) {
    rte_mbuf* out = rte_pktmbuf_alloc(pool_);
    CPPUNIT_ASSERT(out != nullptr);
    out->port = mark;
    return out;
  }
  void check(uint32_t peer, uint16_t first, uint16_t end) {
    const auto packets = held_->take(peer);
    CPPUNIT_ASSERT_EQUAL(static_cast<size_t>(end - first), packets.size());
    for (size_t i = 0; i < packets.size(); ++i) {
      CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(first + i), packets[i]->port);
      rte_pktmbuf_free(packets[i]);
    }
  }
  rte_mempool* pool_ = nullptr;
  std::unique_ptr<HeldPackets> held_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(HeldPacketsTest);

}  // namespace wirelay::test
