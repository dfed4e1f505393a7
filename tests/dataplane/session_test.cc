// Protects the life of a session: seen by workers whole or not at all, found by its own receiver
// index only, its keys gone when it is, and a slot never reused while a worker may hold it.
#include "dataplane/tables/session.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/keys.h"
#include "dataplane/tables/session_writer.h"
#include "tests/dataplane/reader_threads.h"

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kRejectTsc = 12345;

crypto::TransportKeys keys_for(uint32_t index) {
  crypto::TransportKeys keys;
  std::fill_n(keys.send.data(), 32, static_cast<uint8_t>(index));
  std::fill_n(keys.receive.data(), 32, static_cast<uint8_t>(index >> 8));
  keys.local_index = index;
  keys.remote_index = ~index;
  keys.initiator = (index & 1) != 0;
  return keys;
}

/// Everything in the session is what keys_for() made of its index.
bool is_whole(const Session& s, uint32_t index) {
  const auto all = [](const uint8_t* key, uint8_t byte) {
    return std::all_of(key, key + 32, [byte](uint8_t b) { return b == byte; });
  };
  return all(s.send_key, static_cast<uint8_t>(index)) &&
         all(s.receive_key, static_cast<uint8_t>(index >> 8)) && s.remote_index == ~index &&
         s.initiator == ((index & 1) != 0) && s.reject_tsc == kRejectTsc;
}

class SessionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SessionTest);
  CPPUNIT_TEST(is_found_from_publication_to_retirement);
  CPPUNIT_TEST(is_not_found_by_another_tag);
  CPPUNIT_TEST(awaits_its_answer_while_it_is_reserved);
  CPPUNIT_TEST(index_zero_is_never_found);
  CPPUNIT_TEST(tags_differ_from_use_to_use);
  CPPUNIT_TEST(keys_are_wiped_after_the_grace_period);
  CPPUNIT_TEST(slot_is_clean_when_reused);
  CPPUNIT_TEST(owners_are_counted);
  CPPUNIT_TEST(a_reserved_slot_is_free_at_once);
  CPPUNIT_TEST(full_table_refuses);
  CPPUNIT_TEST(final_counts_are_reported_once);
  CPPUNIT_TEST(agrees_with_a_model);
  CPPUNIT_TEST(readers_see_whole_sessions);
  CPPUNIT_TEST_SUITE_END();

  void is_found_from_publication_to_retirement() {
    SessionTable table(8, 4, 1024);
    Rcu rcu(4);
    SessionWriter writer(table, rcu);
    const uint32_t index = writer.reserve(77, 3).value();
    CPPUNIT_ASSERT_EQUAL(3u, table.layout().owner(index));
    CPPUNIT_ASSERT(table.find(index) == nullptr);
    CPPUNIT_ASSERT_EQUAL(77u, writer.peer_of(index).value());

    const Session& published = writer.publish(keys_for(index), kRejectTsc);
    CPPUNIT_ASSERT(table.find(index) == &published);
    CPPUNIT_ASSERT(is_whole(published, index));
    CPPUNIT_ASSERT_EQUAL(77u, published.peer);
    CPPUNIT_ASSERT_EQUAL(77u, writer.peer_of(index).value());

    writer.retire(index);
    CPPUNIT_ASSERT(table.find(index) == nullptr);
    CPPUNIT_ASSERT(!writer.peer_of(index));
  }

  void is_not_found_by_another_tag() {
    SessionTable table(8, 1, 1024);
    Rcu rcu(1);
    SessionWriter writer(table, rcu);
    const uint32_t index = writer.reserve(1, 0).value();
    writer.publish(keys_for(index), kRejectTsc);
    const IndexLayout& layout = table.layout();
    for (unsigned bit = 0; bit < 32u - layout.slot_bits; ++bit) {
      const uint32_t other = layout.index(layout.slot(index), 0, layout.tag(index) ^ 1u << bit);
      CPPUNIT_ASSERT(table.slot(other) == table.slot(index));
      CPPUNIT_ASSERT(table.find(other) == nullptr);
      CPPUNIT_ASSERT(!writer.peer_of(other));
      writer.retire(other);  // no such session: nothing happens
    }
    CPPUNIT_ASSERT(table.find(index) != nullptr);
  }

  void awaits_its_answer_while_it_is_reserved() {
    SessionTable table(8, 1, 1024);
    Rcu rcu(1);
    SessionWriter writer(table, rcu);
    const uint32_t index = writer.reserve(1, 0).value();
    CPPUNIT_ASSERT(table.awaits_response(index) && table.awaits_cookie(index));
    CPPUNIT_ASSERT(!table.awaits_response(0) && !table.awaits_response(index ^ 1u << 31));
    crypto::TransportKeys keys = keys_for(index);
    keys.initiator = false;
    Session& answered = writer.publish(keys, kRejectTsc);
    CPPUNIT_ASSERT(!table.awaits_response(index) && table.awaits_cookie(index));
    answered.rx_packets = 1;
    CPPUNIT_ASSERT(!table.awaits_cookie(index));
    keys = keys_for(writer.reserve(1, 0).value());
    keys.initiator = true;
    writer.publish(keys, kRejectTsc);
    CPPUNIT_ASSERT(!table.awaits_response(keys.local_index));
    CPPUNIT_ASSERT(!table.awaits_cookie(keys.local_index));
    const uint32_t given_up = writer.reserve(1, 0).value();
    writer.retire(given_up);
    CPPUNIT_ASSERT(!table.awaits_response(given_up) && !table.awaits_cookie(given_up));
  }

  void index_zero_is_never_found() {
    SessionTable table(1, 1, 1024);  // free: its index is zero
    CPPUNIT_ASSERT(table.find(0) == nullptr);
  }

  void tags_differ_from_use_to_use() {
    // The smallest tag, so that a repeated one would show.
    SessionTable table(1u << 26, 1, 1024);
    Rcu rcu(1);
    SessionWriter writer(table, rcu);
    uint32_t last = 0;
    for (int i = 0; i < 2000; ++i) {
      const uint32_t index = writer.reserve(1, 0).value();
      CPPUNIT_ASSERT_EQUAL(0u, table.layout().slot(index));
      CPPUNIT_ASSERT(index != 0 && index != last);
      last = index;
      writer.retire(index);
    }
  }

  void keys_are_wiped_after_the_grace_period() {
    SessionTable table(8, 1, 1024);
    Rcu rcu(1);
    SessionWriter writer(table, rcu);
    const uint32_t index = writer.reserve(1, 0).value();
    const Session& s = writer.publish(keys_for(index), kRejectTsc);
    rcu.online(0);  // a worker that has found the session
    writer.retire(index);
    rcu.poll();
    CPPUNIT_ASSERT(is_whole(s, index));
    CPPUNIT_ASSERT_EQUAL(1u, writer.in_use());
    rcu.quiescent(0);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0u, writer.in_use());
    const auto zero = [](uint8_t b) { return b == 0; };
    CPPUNIT_ASSERT(std::all_of(s.send_key, s.send_key + 32, zero));
    CPPUNIT_ASSERT(std::all_of(s.receive_key, s.receive_key + 32, zero));
  }

  void slot_is_clean_when_reused() {
    SessionTable table(1, 1, 1024);
    Rcu rcu(1);
    SessionWriter writer(table, rcu);
    uint32_t index = writer.reserve(1, 0).value();
    Session* s = &writer.publish(keys_for(index), kRejectTsc);
    CPPUNIT_ASSERT_EQUAL(16u, table.replay_words());
    std::fill_n(s->replay_words, table.replay_words(), ~uint64_t{0});
    s->replay_front = {5, 5};
    table.move(*s, 5, 0, {});
    s->confirmed = s->unreported = true;
    s->own_counter = 5;
    for (auto* count :
         {&s->rx_packets, &s->rx_bytes, &s->rx_tsc, &s->rx_data_tsc, &s->send_counter, &s->tx_tsc,
          &s->tx_data_tsc, &s->tx_packets, &s->tx_bytes, &s->own_tx_packets, &s->own_tx_bytes}) {
      count->store(5);
    }
    const uint32_t generation = s->generation;
    writer.retire(index);
    rcu.poll();

    index = writer.reserve(2, 0).value();
    s = &writer.publish(keys_for(index), kRejectTsc);
    CPPUNIT_ASSERT(std::all_of(s->replay_words, s->replay_words + table.replay_words(),
                               [](uint64_t w) { return w == 0; }));
    CPPUNIT_ASSERT(s->replay_front.greatest == 0 && s->replay_front.word == 0);
    CPPUNIT_ASSERT(s->own_moved == 0 && table.last_move(*s).stamp == 0);
    CPPUNIT_ASSERT(!s->confirmed && !s->unreported && s->own_counter == 0);
    for (auto* count :
         {&s->rx_packets, &s->rx_bytes, &s->rx_tsc, &s->rx_data_tsc, &s->send_counter, &s->tx_tsc,
          &s->tx_data_tsc, &s->tx_packets, &s->tx_bytes, &s->own_tx_packets, &s->own_tx_bytes}) {
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, count->load());
    }
    CPPUNIT_ASSERT_EQUAL(generation + 1, s->generation);
    CPPUNIT_ASSERT_EQUAL(2u, s->peer);
  }

  /// Reserved, published, and waiting for their grace period.
  void owners_are_counted() {
    SessionTable table(64, 3, 1024);
    Rcu rcu(1);
    rcu.online(0);
    SessionWriter writer(table, rcu);
    std::vector<uint32_t> indices;
    for (uint32_t i = 0; i < 9; ++i)
      indices.push_back(writer.reserve(1, writer.least_loaded()).value());
    for (uint32_t i = 0; i < 9; ++i) CPPUNIT_ASSERT_EQUAL(i % 3, table.layout().owner(indices[i]));
    writer.publish(keys_for(indices[2]), kRejectTsc);
    writer.retire(indices[1]);  // only reserved
    CPPUNIT_ASSERT_EQUAL(1u, writer.least_loaded());
    writer.reserve(1, 1).value();
    writer.retire(indices[2]);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("workers may hold it still", 0u, writer.least_loaded());
    rcu.quiescent(0);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(2u, writer.least_loaded());
  }

  void a_reserved_slot_is_free_at_once() {
    SessionTable table(1, 1, 1024);
    Rcu rcu(1);
    rcu.online(0);
    SessionWriter writer(table, rcu);
    const uint32_t index = writer.reserve(1, 0).value();
    bool called = false;
    writer.retire(index, [&](const Traffic&) { called = true; });
    CPPUNIT_ASSERT(writer.reserve(1, 0).has_value());
    CPPUNIT_ASSERT(!called);
  }

  void full_table_refuses() {
    SessionTable table(3, 1, 1024);  // four: the power of two above
    Rcu rcu(1);
    SessionWriter writer(table, rcu);
    std::vector<uint32_t> indices;
    for (uint32_t i = 0; i < table.slots(); ++i) indices.push_back(writer.reserve(i, 0).value());
    CPPUNIT_ASSERT_EQUAL(size_t{4}, indices.size());
    CPPUNIT_ASSERT(!writer.reserve(9, 0));
    CPPUNIT_ASSERT_EQUAL(4u, writer.in_use());
    writer.publish(keys_for(indices[2]), kRejectTsc);
    writer.retire(indices[2]);
    CPPUNIT_ASSERT(!writer.reserve(9, 0));  // its grace period
    rcu.poll();
    CPPUNIT_ASSERT(writer.reserve(9, 0));
  }

  void final_counts_are_reported_once() {
    SessionTable table(8, 1, 1024);
    Rcu rcu(1);
    rcu.online(0);
    SessionWriter writer(table, rcu);
    const uint32_t index = writer.reserve(1, 0).value();
    Session& s = writer.publish(keys_for(index), kRejectTsc);
    int calls = 0;
    Traffic last;
    writer.retire(index, [&](const Traffic& t) {
      ++calls;
      last += t;
    });
    // What a worker still counts before its next quiescent state is in.
    s.rx_packets = 1;
    s.rx_bytes = 2;
    s.tx_packets = s.own_tx_packets = 2;
    s.tx_bytes = s.own_tx_bytes = 3;
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0, calls);
    rcu.quiescent(0);
    rcu.poll();
    writer.retire(index);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(1, calls);
    CPPUNIT_ASSERT(last.rx_packets == 1 && last.rx_bytes == 2);
    CPPUNIT_ASSERT(last.tx_packets == 4 && last.tx_bytes == 6);
  }

  void agrees_with_a_model() {
    SessionTable table(64, 4, 1024);
    Rcu rcu(1);
    SessionWriter writer(table, rcu);
    std::mt19937 random(2);
    std::map<uint32_t, std::pair<uint32_t, bool>> model;  // index: peer, published
    for (uint32_t step = 0; step < 20000; ++step) {
      const auto chosen =
          model.empty() ? model.end() : std::next(model.begin(), random() % model.size());
      if (random() % 8 == 0) rcu.poll();
      if (chosen == model.end() || random() % 3 == 0) {
        if (const auto index = writer.reserve(step, random() % 4)) {
          CPPUNIT_ASSERT(model.emplace(*index, std::pair(step, false)).second);
        }
      } else if (!chosen->second.second && random() % 2 == 0) {
        writer.publish(keys_for(chosen->first), kRejectTsc);
        chosen->second.second = true;
      } else {
        writer.retire(chosen->first);
        model.erase(chosen);
      }
      for (const auto& [index, state] : model) {
        CPPUNIT_ASSERT_EQUAL(state.first, writer.peer_of(index).value());
        CPPUNIT_ASSERT_EQUAL(state.second, table.find(index) != nullptr);
      }
    }
  }

  /// Readers use what they find to the end, as a worker does, while slots change hands.
  void readers_see_whole_sessions() {
    constexpr unsigned kReaders = 2, kKept = 6;
    SessionTable table(16, kReaders, 1024);
    Rcu rcu(kReaders);
    SessionWriter writer(table, rcu);
    std::array<std::atomic<uint32_t>, kKept> known{};
    std::atomic<uint64_t> broken{0}, found{0};

    test::ReaderThreads readers(rcu, kReaders, [&](unsigned reader) {
      for (auto& index : known) {
        const uint32_t wanted = index.load(std::memory_order_relaxed);
        Session* s = table.find(wanted);
        if (s == nullptr) continue;
        if (!is_whole(*s, wanted)) ++broken;
        s->tx_packets.fetch_add(1, std::memory_order_relaxed);
        if (table.layout().owner(wanted) == reader)
          s->replay_words[s->replay_front.greatest++ % 16] = 1;
        if (!is_whole(*s, wanted)) ++broken;
        ++found;
      }
    });
    std::mt19937 random(3);
    uint64_t sent = 0;
    for (uint32_t step = 0; step < 4000; ++step) {
      if (step % 16 == 0) readers.pace();
      rcu.poll();
      auto& index = known[random() % kKept];
      if (index != 0) writer.retire(index, [&](const Traffic& t) { sent += t.tx_packets; });
      const auto fresh = writer.reserve(step, random() % kReaders);
      index = fresh.value_or(0);  // readers ask for it before it is published
      if (fresh) writer.publish(keys_for(*fresh), kRejectTsc);
    }
    readers.stop();
    for (auto& index : known) {
      writer.retire(index, [&](const Traffic& t) { sent += t.tx_packets; });
    }
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, broken.load());
    CPPUNIT_ASSERT(found > 0);
    CPPUNIT_ASSERT_EQUAL(found.load(), sent);  // no count is lost
    CPPUNIT_ASSERT_EQUAL(0u, writer.in_use());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SessionTest);

}  // namespace

}  // namespace wirelay::dataplane
