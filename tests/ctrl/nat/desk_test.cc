// Protects: a packet that waits for a block of ports goes to the worker that has the user's
// mappings then, and to nobody else; where there is no block, or the user has gone, its sender is
// told. And what the desk tells of who has what.
#include "ctrl/nat/desk.h"

#include <cstring>
#include <memory>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dataplane/tables/peer_writer.h"
#include "dataplane/tables/prefix_writer.h"
#include "tests/support/packets.h"

namespace wirelay::ctrl {

namespace {

using dataplane::NatBlockRecord;
using dataplane::Punt;
using dataplane::PuntReason;

constexpr uint16_t kOutPort = 1;  // of packets

dataplane::Sizes desk_sizes() {
  dataplane::Sizes sizes;
  sizes.users = sizes.peers = 32;
  sizes.sessions = 128;
  sizes.prefixes = 64;
  return sizes;
}

/// Two workers' rings, and users 1 and up with the addresses 10.0.0.1 and up.
struct Desk {
  Desk() {
    for (uint8_t user = 1; user <= 20; ++user) {
      const uint8_t address[4] = {10, 0, 0, user};
      const dataplane::Prefix allowed[] = {{dataplane::IpAddr::v4(address), 128}};
      CPPUNIT_ASSERT(peers.add(user, allowed));
    }
  }
  ~Desk() { rte_mempool_free(shared.pool); }

  dataplane::NatSettings settings() const {
    dataplane::NatSettings settings;
    settings.pools = {test::prefix("198.51.100.64")};
    settings.block_ports = 4096;  // fifteen
    return settings;
  }
  NatDesk make_desk() {
    shared.nat = std::make_unique<dataplane::NatTable>(settings(), shared.users.capacity());
    return {shared, [this](const NatBlockRecord& record) { records.push_back(record); }};
  }
  void ask(const char* from, uint8_t worker) {
    rte_mbuf* packet = rte_pktmbuf_alloc(shared.pool);
    const test::Bytes bytes =
        test::udp({test::addr(from), 1}, {test::addr("203.0.113.9"), 2}, test::pattern(9));
    std::memcpy(rte_pktmbuf_append(packet, static_cast<uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    packet->port = kOutPort;
    desk.handle({packet, PuntReason::kNoBlock, worker, 0, 0});
  }
  unsigned given_back(unsigned worker) {
    dataplane::Stray stray{};
    unsigned count = 0;
    for (; shared.mailboxes[worker]->strays.pop_burst(&stray, 1) == 1; ++count) {
      CPPUNIT_ASSERT(stray.outward && stray.port == kOutPort);
      rte_pktmbuf_free(stray.mbuf);
    }
    return count;
  }
  unsigned refused(unsigned worker, dataplane::Drop why = dataplane::Drop::kNatNoBlock) {
    dataplane::Refused refused{};
    unsigned count = 0;
    for (; shared.mailboxes[worker]->refused.pop_burst(&refused, 1) == 1; ++count) {
      CPPUNIT_ASSERT(refused.reason == why);
      rte_pktmbuf_free(refused.mbuf);
    }
    return count;
  }

  dataplane::Shared shared{desk_sizes(), 2, 1'000'000'000};
  rte_mempool* pool = shared.pool = dataplane::create_pool("desk", 511, 1500, 1);
  dataplane::PrefixWriter prefixes{shared.prefixes, shared.rcu};
  dataplane::PeerWriter peers{shared.peers, prefixes, shared.rcu};
  std::vector<NatBlockRecord> records;
  NatDesk desk{make_desk()};
};

}  // namespace

class NatDeskTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatDeskTest);
  CPPUNIT_TEST(a_packet_goes_to_the_owner);
  CPPUNIT_TEST(who_gets_none_is_told);
  CPPUNIT_TEST(what_it_tells);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_packet_goes_to_the_owner() {
    Desk d;
    d.ask("10.0.0.7", 1);
    d.ask("10.0.0.7", 0);
    CPPUNIT_ASSERT_EQUAL(0u, d.given_back(0));
    CPPUNIT_ASSERT_EQUAL(2u, d.given_back(1));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.records.size());
    CPPUNIT_ASSERT_EQUAL(7u, d.records[0].user);
    CPPUNIT_ASSERT_EQUAL(test::addr("10.0.0.7").v4_be(), d.records[0].inside);
    CPPUNIT_ASSERT_EQUAL(0u, rte_mempool_in_use_count(d.shared.pool));
  }

  void who_gets_none_is_told() {
    Desk d;
    d.ask("10.0.9.9", 0);  // nobody's any more
    CPPUNIT_ASSERT_EQUAL(1u, d.refused(0, dataplane::Drop::kSourceNotAllowed));
    for (int user = 1; user <= 16; ++user) d.ask(("10.0.0." + std::to_string(user)).c_str(), 1);
    CPPUNIT_ASSERT_EQUAL(15u, d.given_back(1));
    CPPUNIT_ASSERT_EQUAL(1u, d.refused(1));
    // A worker that does not look: what finds no room is counted.
    for (int i = 0; i < 200; ++i) d.ask("10.0.0.16", 1);
    const unsigned told = d.refused(1);
    CPPUNIT_ASSERT_EQUAL(uint64_t{200}, told + d.desk.status().packets_lost);
    CPPUNIT_ASSERT(d.desk.status().packets_lost > 0);
    CPPUNIT_ASSERT_EQUAL(0u, rte_mempool_in_use_count(d.shared.pool));
  }

  void what_it_tells() {
    Desk d;
    d.ask("10.0.0.7", 1);
    d.given_back(1);
    const NatStatus status = d.desk.status();
    CPPUNIT_ASSERT_EQUAL(15u, status.blocks);
    CPPUNIT_ASSERT_EQUAL(14u, status.blocks_free);
    const NatBlockStatus block = d.desk.block(0).value();
    CPPUNIT_ASSERT_EQUAL(7u, block.user_number);
    CPPUNIT_ASSERT_EQUAL(std::string("198.51.100.64"), to_string(block.address));
    CPPUNIT_ASSERT_EQUAL(1024, int{block.first_port});
    CPPUNIT_ASSERT_EQUAL(5119, int{block.last_port});
    CPPUNIT_ASSERT_EQUAL(1u, block.worker);
    CPPUNIT_ASSERT(!d.desk.block(1));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.desk.use(7).blocks);
    d.desk.remove_user(7);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.desk.use(7).blocks);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, d.records.size());
    CPPUNIT_ASSERT(!d.records[1].given);
    CPPUNIT_ASSERT_EQUAL(d.records[0].inside, d.records[1].inside);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatDeskTest);

}  // namespace wirelay::ctrl
