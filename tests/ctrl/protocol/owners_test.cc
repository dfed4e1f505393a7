// Protects: who owns a session. Where the NIC brings a peer's packets to one worker, that one does;
// where one worker receives all, sessions are spread over all of them.
#include "ctrl/protocol/owners.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

class OwnersTest : public LabTest {
  CPPUNIT_TEST_SUITE(OwnersTest);
  CPPUNIT_TEST(a_queue_s_worker_owns_what_came_by_it);
  CPPUNIT_TEST(with_fewer_queues_sessions_are_spread);
  CPPUNIT_TEST(a_peer_that_was_never_heard_goes_where_few_are);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    LabTest::setUp();
    world_ = std::make_unique<World>(a());
  }
  void tearDown() override {
    world_.reset();
    LabTest::tearDown();
  }

  void a_queue_s_worker_owns_what_came_by_it() {
    world_->shared.ports[0].rx_queues = 3;
    for (int i = 0; i < 5; ++i) CPPUNIT_ASSERT_EQUAL(1u, choose(1));
  }

  void with_fewer_queues_sessions_are_spread() {
    for (const uint16_t queues : {1, 2}) {
      world_->shared.ports[0].rx_queues = queues;
      for (uint32_t i = 0; i < 6; ++i) CPPUNIT_ASSERT_EQUAL(i % 3, choose(0));
    }
  }

  void a_peer_that_was_never_heard_goes_where_few_are() {
    world_->shared.ports[0].rx_queues = 3;
    choose(0);
    CPPUNIT_ASSERT_EQUAL(1u, choose(ctrl::kNobody));
    CPPUNIT_ASSERT_EQUAL(2u, choose(ctrl::kNobody));
  }

 private:
  struct World {
    explicit World(Side& side)
        : ctx{shared,
              sessions,
              peers,
              side,
              side.identity,
              std::make_shared<ctrl::PeerBook>(8),
              {},
              {},
              {shared.users.capacity(), shared.peers.capacity()}} {}
    dataplane::Shared shared{Lab::small(), 3, kHz};
    dataplane::PrefixWriter prefixes{shared.prefixes, shared.rcu};
    dataplane::PeerWriter peers{shared.peers, prefixes, shared.rcu};
    dataplane::SessionWriter sessions{shared.sessions, shared.rcu};
    ctrl::Context ctx;
  };
  uint32_t choose(uint8_t heard_by) {
    const uint32_t owner = ctrl::choose_owner(world_->ctx, 0, heard_by);
    world_->sessions.reserve(1, owner).value();
    return owner;
  }
  std::unique_ptr<World> world_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(OwnersTest);

}  // namespace wirelay::test
