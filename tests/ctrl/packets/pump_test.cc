// Protects the way from the workers' rings to the control thread: everything is served, of all
// workers, each reason goes to who is in charge of it, and no flood keeps what is more urgent
// waiting.
#include "ctrl/packets/pump.h"

#include <cstring>
#include <memory>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "crypto/noise.h"
#include "dataplane/tables/prefix_writer.h"
#include "tests/support/packets.h"

namespace wirelay::ctrl {

namespace {

using dataplane::Punt;
using dataplane::PuntReason;
using test::Bytes;
using test::Mac;

const dataplane::IpAddr kOurs = test::addr("192.0.2.1");

dataplane::Sizes pump_sizes() {
  dataplane::Sizes sizes;
  sizes.users = sizes.peers = 4;
  sizes.sessions = 16;
  sizes.prefixes = 64;
  return sizes;
}

/// Two workers' rings and what lies behind them: a port with an address.
struct Pumped {
  Pumped() {
    dataplane::Port& port = shared.ports[0];
    port.mtu = 1500;
    port.mac = {{2, 0, 0, 0, 0, 1}};
    port.addresses = {{kOurs, {kOurs, 120}}};
  }
  ~Pumped() { rte_mempool_free(shared.pool); }

  void push(unsigned worker, PuntReason reason, const Bytes& bytes) {
    rte_mbuf* packet = rte_pktmbuf_alloc(shared.pool);
    CPPUNIT_ASSERT(packet != nullptr);
    std::memcpy(rte_pktmbuf_append(packet, static_cast<uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    packet->port = 0;
    const auto id = static_cast<uint8_t>(worker);
    CPPUNIT_ASSERT(shared.mailboxes[worker]->punts(reason).push({packet, reason, id, 0, 0}));
  }
  void push(unsigned worker, PuntReason reason, unsigned count) {
    for (unsigned i = 0; i < count; ++i) push(worker, reason, Bytes(64));
  }
  /// Such that look so, by the first worker.
  void push_initiations(unsigned count) {
    const Mac host = {2, 0, 0, 0, 1, 1}, ours = {2, 0, 0, 0, 0, 1};
    Bytes message(sizeof(crypto::MessageInitiation));
    message[0] = static_cast<uint8_t>(crypto::MessageType::kInitiation);
    const Bytes frame =
        test::ethernet(ours, host, test::kTypeIpv4,
                       test::udp({test::addr("192.0.2.50"), 5000}, {kOurs, 51820}, message));
    for (unsigned i = 0; i < count; ++i) push(0, PuntReason::kHandshake, frame);
  }
  /// Who has our address?
  void push_question(unsigned worker) {
    const Mac host = {2, 0, 0, 0, 1, 1};
    push(worker, PuntReason::kArp,
         test::ethernet(test::kBroadcast, host, test::kTypeArp,
                        test::arp(1, host, test::addr("192.0.2.50"), kOurs)));
  }
  /// Frames that have gone to a worker to be sent.
  [[nodiscard]] unsigned sent() const {
    rte_mbuf* frame;
    unsigned count = 0;
    for (; shared.mailboxes[0]->transmit.pop_burst(&frame, 1) == 1; ++count)
      rte_pktmbuf_free(frame);
    return count;
  }
  [[nodiscard]] unsigned waiting() const {
    unsigned sum = 0;
    for (const auto& mailbox : shared.mailboxes) {
      sum += mailbox->discovery.count() + mailbox->expected.count() + mailbox->handshakes.count() +
             mailbox->waiting.count();
    }
    return sum;
  }

  dataplane::Shared shared{pump_sizes(), 2, 1'000'000'000};
  rte_mempool* pool = shared.pool = dataplane::create_pool("pump", 511, 1500, 1);
  dataplane::PrefixWriter prefixes{shared.prefixes, shared.rcu};
  dataplane::SessionWriter sessions{shared.sessions, shared.rcu};
  dataplane::PeerWriter peers{shared.peers, prefixes, shared.rcu};
  Neighbours neighbours{shared, prefixes, Config{}};
  crypto::Identity identity = crypto::make_identity(crypto::Secret(crypto::Bytes32{3}));
  Protocol protocol{shared, sessions, peers, neighbours, identity, 1000};
  NatDesk* nat() {
    dataplane::NatSettings settings;
    settings.pools = {test::prefix("198.51.100.64")};
    shared.nat = std::make_unique<dataplane::NatTable>(settings, shared.users.capacity());
    return &desk.emplace(shared, [](const dataplane::NatBlockRecord&) {});
  }
  std::optional<NatDesk> desk;
  Pump pump{shared, protocol, neighbours, nat()};
};

class PumpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PumpTest);
  CPPUNIT_TEST(idle_when_nothing_waits);
  CPPUNIT_TEST(serves_all_workers);
  CPPUNIT_TEST(hands_on_by_reason);
  CPPUNIT_TEST(arp_is_answered_first_and_again_in_every_step);
  CPPUNIT_TEST(each_ring_gets_its_part_in_a_flood_of_the_others);
  CPPUNIT_TEST(more_handshakes_than_are_served_are_load);
  CPPUNIT_TEST(what_a_stall_leaves_is_no_load);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { world_ = std::make_unique<Pumped>(); }
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
  void arp_is_answered_first_and_again_in_every_step() {
    for (const unsigned worker : {0u, 1u}) {
      world_->push(worker, PuntReason::kHandshake, 100);
      world_->push(worker, PuntReason::kUnresolved, 60);
    }
    for (unsigned step = 0; step < 5; ++step) {
      for (const unsigned worker : {0u, 1u}) world_->push_question(worker);
      world_->pump.step();
      CPPUNIT_ASSERT_EQUAL(2u, world_->sent());
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE("what fills the lanes, and four that wait, a step",
                                 320u - 5 * (crypto::kHandshakesAtOnce + 4),
                                 size_t{world_->waiting()});
    finish();
  }

  void each_ring_gets_its_part_in_a_flood_of_the_others() {
    for (const unsigned worker : {0u, 1u}) {
      world_->push(worker, PuntReason::kArp, 60);
      world_->push(worker, PuntReason::kExpected, 60);
      world_->push(worker, PuntReason::kHandshake, 60);
      world_->push(worker, PuntReason::kNoSession, 60);
    }
    for (const unsigned worker : {0u, 1u}) {
      world_->pump.step();
      const dataplane::Mailbox& mailbox = *world_->shared.mailboxes[worker];
      CPPUNIT_ASSERT_EQUAL(0u, mailbox.discovery.count());
      CPPUNIT_ASSERT_EQUAL(44u, mailbox.expected.count());
      CPPUNIT_ASSERT_EQUAL(44u, mailbox.handshakes.count());
      CPPUNIT_ASSERT_EQUAL(56u, mailbox.waiting.count());
    }
    finish();
  }

  /// However little the protocol believes that they cost. Under load they are not opened.
  void more_handshakes_than_are_served_are_load() {
    world_->push_initiations(300);
    for (unsigned served = 0; served < 5000;) {
      const unsigned more = world_->pump.step();
      world_->push_initiations(more);
      served += more;
    }
    CPPUNIT_ASSERT(world_->protocol.counters().refused_bad_message < 4200);
    finish();
  }

  void what_a_stall_leaves_is_no_load() {
    constexpr uint64_t kLeft = 500;
    for (unsigned stall = 0; stall < 5; ++stall) {
      world_->push_initiations(kLeft);
      for (unsigned served; (served = world_->pump.step() + world_->pump.step()) > 0;) {
        world_->push_initiations(served / 2);
      }
    }
    const auto& counters = world_->protocol.counters();
    CPPUNIT_ASSERT(counters.initiations_received > 5 * kLeft);
    CPPUNIT_ASSERT_EQUAL(counters.initiations_received, counters.refused_bad_message);
  }

 private:
  void finish() {
    while (world_->pump.turn() == Pump::Result::kMore) {
    }
    CPPUNIT_ASSERT_EQUAL(0u, world_->waiting());
  }

  std::unique_ptr<Pumped> world_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(PumpTest);

}  // namespace
}  // namespace wirelay::ctrl
