// Protects the way from the workers' rings to the control thread: everything is served, of all
// workers, each reason goes to who is in charge of it, and no flood keeps what is more urgent
// waiting.
#include "ctrl/packets/pump.h"

#include <memory>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "crypto/noise.h"
#include "dataplane/tables/prefix_writer.h"

namespace wirelay::ctrl {

namespace {

using dataplane::Punt;
using dataplane::PuntReason;

dataplane::Sizes small() {
  dataplane::Sizes sizes;
  sizes.users = sizes.peers = 4;
  sizes.sessions = 16;
  sizes.prefixes = 64;
  return sizes;
}

/// Two workers' rings and what lies behind them.
struct World {
  ~World() { rte_mempool_free(shared.pool); }

  void push(unsigned worker, PuntReason reason, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      rte_mbuf* packet = rte_pktmbuf_alloc(shared.pool);
      CPPUNIT_ASSERT(packet != nullptr);
      rte_pktmbuf_append(packet, 64);
      packet->port = 0;
      const auto id = static_cast<uint8_t>(worker);
      CPPUNIT_ASSERT(shared.mailboxes[worker]->punts(reason).push({packet, reason, id, 0, 0}));
    }
  }
  [[nodiscard]] unsigned waiting() const {
    unsigned sum = 0;
    for (const auto& mailbox : shared.mailboxes) {
      sum += mailbox->discovery.count() + mailbox->handshakes.count() + mailbox->waiting.count();
    }
    return sum;
  }

  dataplane::Shared shared{small(), 2, 1'000'000'000};
  rte_mempool* pool = shared.pool = dataplane::create_pool("pump", 511, 1500, 1);
  dataplane::PrefixWriter prefixes{shared.prefixes, shared.rcu};
  dataplane::SessionWriter sessions{shared.sessions, shared.rcu};
  dataplane::PeerWriter peers{shared.peers, prefixes, shared.rcu};
  Neighbours neighbours{shared, prefixes, Config{}};
  crypto::Identity identity = crypto::make_identity(crypto::Secret(crypto::Bytes32{3}));
  Protocol protocol{shared, sessions, peers, neighbours, identity, 1000};
  Pump pump{shared, protocol, neighbours};
};

class PumpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PumpTest);
  CPPUNIT_TEST(idle_when_nothing_waits);
  CPPUNIT_TEST(serves_all_workers);
  CPPUNIT_TEST(hands_on_by_reason);
  CPPUNIT_TEST(arp_is_served_first_and_again_in_every_step);
  CPPUNIT_TEST(each_ring_gets_its_part_in_a_flood_of_the_others);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { world_ = std::make_unique<World>(); }
  void tearDown() override {
    CPPUNIT_ASSERT_EQUAL(0u, rte_mempool_in_use_count(world_->pool));
    world_.reset();
  }

  void idle_when_nothing_waits() { CPPUNIT_ASSERT(world_->pump.turn() == Pump::Result::kIdle); }

  void serves_all_workers() {
    world_->push(0, PuntReason::kNoSession, 100);
    world_->push(1, PuntReason::kNoSession, 50);
    // However slow the machine is, turns come to an end and so does the work.
    unsigned turns = 0;
    while (world_->pump.turn() == Pump::Result::kMore) ++turns;
    CPPUNIT_ASSERT(turns <= 150);
    CPPUNIT_ASSERT_EQUAL(0u, world_->waiting());
    CPPUNIT_ASSERT_EQUAL(uint64_t{150}, world_->protocol.counters().held_packets);
    CPPUNIT_ASSERT(world_->pump.turn() == Pump::Result::kIdle);
  }

  void hands_on_by_reason() {
    world_->push(0, PuntReason::kHandshake, 3);
    world_->push(0, PuntReason::kArp, 5);
    while (world_->waiting() != 0) world_->pump.turn();
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, world_->protocol.counters().refused_bad_message);
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, world_->neighbours.counters().malformed);
  }

  /// In the midst of a flood of handshakes and of packets that wait, from both workers.
  void arp_is_served_first_and_again_in_every_step() {
    for (const unsigned worker : {0u, 1u}) {
      world_->push(worker, PuntReason::kHandshake, 100);
      world_->push(worker, PuntReason::kUnresolved, 60);
    }
    for (uint64_t arrived = 0; arrived < 10;) {
      for (const unsigned worker : {0u, 1u}) {
        world_->push(worker, arrived % 4 == 0 ? PuntReason::kArp : PuntReason::kNeighbour, 1);
      }
      arrived += 2;
      world_->pump.step();
      CPPUNIT_ASSERT_EQUAL(arrived, world_->neighbours.counters().malformed);
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE("four of each a step", 320u - 5 * 8, world_->waiting());
    finish();
  }

  void each_ring_gets_its_part_in_a_flood_of_the_others() {
    for (const unsigned worker : {0u, 1u}) {
      world_->push(worker, PuntReason::kArp, 60);
      world_->push(worker, PuntReason::kHandshake, 60);
      world_->push(worker, PuntReason::kNoSession, 60);
    }
    for (const unsigned worker : {0u, 1u}) {
      world_->pump.step();
      const dataplane::Mailbox& mailbox = *world_->shared.mailboxes[worker];
      CPPUNIT_ASSERT_EQUAL(0u, mailbox.discovery.count());
      CPPUNIT_ASSERT_EQUAL(56u, mailbox.handshakes.count());
      CPPUNIT_ASSERT_EQUAL(56u, mailbox.waiting.count());
    }
    finish();
  }

 private:
  void finish() {
    while (world_->pump.turn() == Pump::Result::kMore) {
    }
    CPPUNIT_ASSERT_EQUAL(0u, world_->waiting());
  }

  std::unique_ptr<World> world_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(PumpTest);

}  // namespace
}  // namespace wirelay::ctrl
