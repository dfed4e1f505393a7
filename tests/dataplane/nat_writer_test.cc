// Protects: a block of ports is one user's at a time, stays the user's while it has a mapping, and
// rests before another gets it; all blocks of a user are of one address, and all addresses have
// users; who is removed leaves a block only when its mappings have ended.
#include "dataplane/tables/nat_writer.h"

#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/packets.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

/// A table of two addresses with fifteen blocks each, and one worker that does nothing.
struct Blocks {
  Blocks()
      : table(settings(), 64),
        rcu(1),
        writer(table, rcu, [this](const auto& record) { records.push_back(record); }) {}

  static NatSettings settings() {
    NatSettings s;
    s.pools = {prefix("198.51.100.64/31")};
    s.block_ports = 4096;
    s.each.blocks = 3;
    return s;
  }
  /// The user's owner asks for `count` blocks in all.
  bool ask(uint32_t user, uint32_t count, unsigned worker = 0) {
    table.user(user).wanted = count;
    return writer.serve(user, worker).has_value();
  }
  [[nodiscard]] uint32_t block_of(uint32_t user, unsigned i = 0) const {
    return table.user(user).blocks[i].load() - 1;
  }
  /// The worker looks at the tables only between these.
  void pass() { rcu.poll(); }
  void wait(uint64_t seconds) {
    for (uint64_t s = 0; s < seconds; ++s) {
      writer.tick(++now, table.block_count());
      pass();
    }
  }

  NatTable table;
  Rcu rcu;
  std::vector<NatBlockRecord> records;
  NatWriter writer;
  uint64_t now = 100;
};

}  // namespace

class NatWriterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatWriterTest);
  CPPUNIT_TEST(a_user_gets_what_it_asks_for);
  CPPUNIT_TEST(who_comes_back_begins_with_one);
  CPPUNIT_TEST(who_is_refused_asks_again_a_second_later);
  CPPUNIT_TEST(all_are_of_one_address);
  CPPUNIT_TEST(the_owner_stays);
  CPPUNIT_TEST(idle_blocks_are_taken_back_and_rest);
  CPPUNIT_TEST(a_mapping_that_comes_first_keeps_it);
  CPPUNIT_TEST(a_removed_users_blocks_wait_for_its_mappings);
  CPPUNIT_TEST(ports_are_all_found_once);
  CPPUNIT_TEST_SUITE_END();

 public:
  void who_comes_back_begins_with_one() {
    Blocks b;
    CPPUNIT_ASSERT(b.ask(1, 1));
    CPPUNIT_ASSERT(b.ask(1, 2));
    b.wait(NatWriter::kIdleSeconds + 2);
    CPPUNIT_ASSERT_EQUAL(0u, b.table.user(1).block_count());
    // A burst of packets waits; nobody has asked for a second block.
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(b.writer.serve(1, 0));
    CPPUNIT_ASSERT_EQUAL(1u, b.table.user(1).block_count());
  }

  void who_is_refused_asks_again_a_second_later() {
    Blocks b;
    for (uint32_t user = 1; user <= 30; ++user) CPPUNIT_ASSERT(b.ask(user, 1));
    CPPUNIT_ASSERT(!b.ask(31, 1));
    CPPUNIT_ASSERT(b.table.user(31).refused);
    CPPUNIT_ASSERT(!b.table.user(1).refused);
    b.wait(1);
    CPPUNIT_ASSERT(!b.table.user(31).refused);
  }

  void a_user_gets_what_it_asks_for() {
    Blocks b;
    CPPUNIT_ASSERT(b.ask(5, 1));
    CPPUNIT_ASSERT(b.ask(5, 1));  // another packet of its that has waited
    CPPUNIT_ASSERT_EQUAL(size_t{1}, b.records.size());
    CPPUNIT_ASSERT(b.ask(5, 2) && b.ask(5, 3) && b.ask(5, 4));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("and no more than it may", size_t{3}, b.records.size());
    const NatBlockRecord& record = b.records[1];
    CPPUNIT_ASSERT(record.given && record.user == 5);
    CPPUNIT_ASSERT_EQUAL(4095, record.last_port - record.first_port);
    CPPUNIT_ASSERT_EQUAL(b.block_of(5, 1),
                         b.table.block_of(b.table.index_of(record.address), record.last_port));
  }

  void all_are_of_one_address() {
    Blocks b;
    std::set<uint32_t> blocks;
    for (uint32_t user = 0; user < 10; ++user) {
      for (unsigned i = 0; i < 3; ++i) {
        CPPUNIT_ASSERT(b.ask(user, i + 1));
        CPPUNIT_ASSERT(blocks.insert(b.block_of(user, i)).second);
        CPPUNIT_ASSERT_EQUAL(user % 2, b.block_of(user, i) / b.table.blocks_each);
      }
    }
    CPPUNIT_ASSERT_EQUAL(0u, b.writer.free_blocks());
    CPPUNIT_ASSERT(!b.ask(11, 1));
    CPPUNIT_ASSERT_EQUAL(0u, b.table.user(11).owner.load());
    b.writer.remove_user(0);
    b.wait(130);
    CPPUNIT_ASSERT_EQUAL(3u, b.writer.free_blocks());
    CPPUNIT_ASSERT(b.ask(12, 1));
    CPPUNIT_ASSERT_EQUAL(0u, b.block_of(12) / b.table.blocks_each);
  }

  void the_owner_stays() {
    Blocks b;
    CPPUNIT_ASSERT_EQUAL(1u, b.writer.serve(5, 1).value());
    CPPUNIT_ASSERT_EQUAL(1u, b.writer.serve(5, 0).value());
    CPPUNIT_ASSERT_EQUAL(2u, b.table.block(b.block_of(5)).owner.load());
    CPPUNIT_ASSERT_EQUAL(6u, b.table.block(b.block_of(5)).user.load());
    b.wait(300);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("until it has nothing", 0u, b.writer.serve(5, 0).value());
  }

  void idle_blocks_are_taken_back_and_rest() {
    Blocks b;
    b.ask(5, 1);
    const uint32_t block = b.block_of(5);
    b.table.block(block).mappings = 1;
    b.wait(500);
    CPPUNIT_ASSERT_EQUAL(block, b.block_of(5));
    b.table.block(block).mappings = 0;
    b.wait(NatWriter::kIdleSeconds);
    CPPUNIT_ASSERT_EQUAL(block, b.block_of(5));
    b.wait(2);
    CPPUNIT_ASSERT_EQUAL(0u, b.table.user(5).block_count());
    CPPUNIT_ASSERT_EQUAL(0u, b.table.block(block).user.load());
    CPPUNIT_ASSERT(!b.records.back().given && b.records.back().user == 5);
    CPPUNIT_ASSERT_EQUAL(29u, b.writer.free_blocks());
    b.wait(NatWriter::kRestSeconds - 2);
    CPPUNIT_ASSERT_EQUAL(29u, b.writer.free_blocks());
    b.wait(3);
    CPPUNIT_ASSERT_EQUAL(30u, b.writer.free_blocks());
    b.ask(6, 1);
    CPPUNIT_ASSERT_MESSAGE("longest away comes first", b.block_of(6) != block);
  }

  /// The worker has not seen yet that it is closing.
  void a_mapping_that_comes_first_keeps_it() {
    Blocks b;
    b.ask(5, 1);
    const uint32_t block = b.block_of(5);
    b.wait(NatWriter::kIdleSeconds);
    b.rcu.online(0);
    b.wait(2);
    CPPUNIT_ASSERT(b.table.block(block).closing.load());
    b.table.block(block).mappings = 1;
    b.rcu.quiescent(0);
    b.pass();
    CPPUNIT_ASSERT(!b.table.block(block).closing.load());
    CPPUNIT_ASSERT_EQUAL(block, b.block_of(5));
    b.rcu.offline(0);
  }

  void a_removed_users_blocks_wait_for_its_mappings() {
    Blocks b;
    b.ask(5, 1);
    const uint32_t block = b.block_of(5), epoch = b.table.user(5).epoch;
    b.table.block(block).mappings = 1;
    b.writer.remove_user(5);
    CPPUNIT_ASSERT(epoch != b.table.user(5).epoch);
    CPPUNIT_ASSERT_EQUAL(0u, b.table.block(block).user.load());
    CPPUNIT_ASSERT(!b.records.back().given);
    b.wait(200);
    CPPUNIT_ASSERT_EQUAL(0u, b.writer.resting_blocks());
    b.table.block(block).mappings = 0;
    b.wait(2);
    CPPUNIT_ASSERT_EQUAL(1u, b.writer.resting_blocks());
  }

  void ports_are_all_found_once() {
    NatSettings settings = Blocks::settings();
    settings.block_ports = 256;
    settings.reserved = {1030, 1200, 53};
    NatTable table(settings, 4);
    std::set<uint16_t> ports;
    for (uint64_t i = 0; i < 254; ++i) {
      const uint16_t port = table.take_port(0, i * 0x9e3779b97f4a7c15);
      CPPUNIT_ASSERT_EQUAL(0u, table.block_of(0, port));
      CPPUNIT_ASSERT(port != 1030 && port != 1200);
      CPPUNIT_ASSERT(ports.insert(port).second);
    }
    CPPUNIT_ASSERT_EQUAL(uint16_t{0}, table.take_port(0, 7));
    table.give_port(0, 1100);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1100}, table.take_port(0, 9));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatWriterTest);

}  // namespace wirelay::dataplane
