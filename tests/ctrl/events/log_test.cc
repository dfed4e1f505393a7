// Protects: that events come in order and under numbers without gaps, that whoever does not read
// loses them by count, is told so and holds up nobody, and that memory has a bound for each.
#include "ctrl/events/log.h"

#include <memory>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/events/outbox.h"

namespace wirelay::test {

using namespace ctrl::events;

namespace {

constexpr uint64_t kStart = 1'700'000'000'000'000'000;
constexpr uint64_t kFirst = kStart / 1000;

Event connected(const std::string& user) { return {.kind = Kind::kConnected, .user = user}; }

/// "connected alice", "lost 3".
std::string text(const Event& event) {
  std::string result(info(event.kind).name);
  if (event.kind == Kind::kLost) {
    return result + ' ' + std::to_string(std::get<uint64_t>(event.fields.front().value));
  }
  return result + ' ' + event.user;
}

}  // namespace

class EventLogTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EventLogTest);
  CPPUNIT_TEST(numbers_rise_over_restarts);
  CPPUNIT_TEST(a_turn_is_one_batch_with_its_time);
  CPPUNIT_TEST(what_is_told_beyond_the_bound_is_lost_by_count);
  CPPUNIT_TEST(keeps_the_last_ones);
  CPPUNIT_TEST(lists_by_pages_and_by_filter);
  CPPUNIT_TEST(reader_gets_what_comes_and_what_was);
  CPPUNIT_TEST(reader_that_sleeps_loses_by_count_what_it_wanted);
  CPPUNIT_TEST(reader_that_comes_too_late_is_told);
  CPPUNIT_TEST(reader_of_an_earlier_run_begins_with_this_one);
  CPPUNIT_TEST(a_reader_may_end_when_it_is_woken);
  CPPUNIT_TEST(what_waits_for_a_loop_has_a_bound);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    outbox_.add([this](const Batch& batch) { log_.take(batch); });
  }

  void numbers_rise_over_restarts() {
    tell({"alice"});
    Outbox next(kStart + 1'000'000'000);
    std::vector<uint64_t> numbers;
    next.add([&](const Batch& batch) {
      for (const Event& event : *batch) numbers.push_back(event.number);
    });
    next.tell(connected("bob"));
    next.tell(connected("bob"));
    next.flush(kStart + 1'000'000'000);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, numbers.size());
    CPPUNIT_ASSERT(numbers[0] > log_.newest());
    CPPUNIT_ASSERT_EQUAL(numbers[0] + 1, numbers[1]);
  }

  void a_turn_is_one_batch_with_its_time() {
    size_t batches = 0;
    outbox_.add([&](const Batch&) { ++batches; });
    outbox_.tell(connected("alice"));
    outbox_.tell(connected("bob"));
    outbox_.flush(kStart + 5);
    outbox_.flush(kStart + 6);  // nothing was told
    CPPUNIT_ASSERT_EQUAL(size_t{1}, batches);
    const auto events = log_.after(0, {}, 10);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, events.size());
    CPPUNIT_ASSERT_EQUAL(kStart + 5, events[1]->unix_ns);
    CPPUNIT_ASSERT_EQUAL(kFirst + 1, events[1]->number);
  }

  void what_is_told_beyond_the_bound_is_lost_by_count() {
    Log roomy(2 * Outbox::kMostWaiting);
    outbox_.add([&](const Batch& batch) { roomy.take(batch); });
    for (size_t i = 0; i < Outbox::kMostWaiting + 7; ++i) outbox_.tell(connected("alice"));
    outbox_.flush(kStart);
    CPPUNIT_ASSERT_EQUAL(Outbox::kMostWaiting, roomy.size());
    outbox_.tell(connected("bob"));
    outbox_.flush(kStart);
    const auto last = roomy.after(kFirst + Outbox::kMostWaiting - 1, {}, 10);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, last.size());
    CPPUNIT_ASSERT_EQUAL(std::string("lost 7"), text(*last[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("connected bob"), text(*last[1]));
  }

  void keeps_the_last_ones() {
    for (size_t i = 0; i < kLeastKept + 5; ++i) tell({std::to_string(i)});
    CPPUNIT_ASSERT_EQUAL(kLeastKept, log_.size());
    CPPUNIT_ASSERT_EQUAL(std::string("5"), log_.after(0, {}, 1).front()->user);
    log_.keep(kLeastKept / 2);
    CPPUNIT_ASSERT_EQUAL(kLeastKept / 2, log_.size());
  }

  void lists_by_pages_and_by_filter() {
    tell({"alice", "bob", "alice", "carol", "alice"});
    Filter alice;
    alice.user = "alice";
    const auto page = log_.after(0, alice, 2);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, page.size());
    CPPUNIT_ASSERT_EQUAL(kFirst + 2, page[1]->number);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, log_.after(page[1]->number, alice, 2).size());
    Filter kinds;
    kinds.kinds.set(static_cast<size_t>(Kind::kRoamed));
    CPPUNIT_ASSERT(log_.after(0, kinds, 10).empty());
    kinds.kinds.set(static_cast<size_t>(Kind::kConnected));
    CPPUNIT_ASSERT_EQUAL(size_t{5}, log_.after(0, kinds, 10).size());
  }

  void reader_gets_what_comes_and_what_was() {
    tell({"alice", "bob"});
    int woken = 0;
    Reader fresh(log_, {}, std::nullopt, [&] { ++woken; });
    Reader old(log_, {}, kFirst, [] {});
    CPPUNIT_ASSERT(!fresh.behind());
    tell({"carol"});
    CPPUNIT_ASSERT_EQUAL(1, woken);
    CPPUNIT_ASSERT(fresh.behind());
    CPPUNIT_ASSERT_EQUAL(std::string("connected carol"), all_of(fresh));
    CPPUNIT_ASSERT_EQUAL(std::string("connected bob, connected carol"), all_of(old));
    CPPUNIT_ASSERT(!fresh.behind());
  }

  void reader_that_sleeps_loses_by_count_what_it_wanted() {
    Filter alice;
    alice.user = "alice";
    Reader picky(log_, alice, std::nullopt, [] {});
    Reader other(log_, {}, std::nullopt, [] {});
    for (size_t i = 0; i < 10; ++i) tell({i % 2 == 0 ? "alice" : "bob"});
    for (size_t i = 0; i < kLeastKept; ++i) {
      tell({"carol"});
      while (other.next()) continue;
    }
    CPPUNIT_ASSERT_EQUAL(size_t{2}, log_.readers());
    CPPUNIT_ASSERT_EQUAL(std::string("lost 5"), all_of(picky));
    tell({"alice"});
    CPPUNIT_ASSERT_EQUAL(std::string("connected alice"), all_of(picky));
    CPPUNIT_ASSERT_EQUAL(std::string("connected alice"), all_of(other));
  }

  void reader_that_comes_too_late_is_told() {
    for (size_t i = 0; i < kLeastKept + 10; ++i) tell({"alice"});
    Reader reader(log_, {}, kFirst + 3, [] {});
    const EventRef first = reader.next();
    CPPUNIT_ASSERT_EQUAL(std::string("lost 6"), text(*first));
    CPPUNIT_ASSERT_EQUAL(kFirst + 10, reader.next()->number);
  }

  void reader_of_an_earlier_run_begins_with_this_one() {
    tell({"alice"});
    Reader reader(log_, {}, kFirst - 1'000'000, [] {});
    CPPUNIT_ASSERT_EQUAL(std::string("connected alice"), all_of(reader));
  }

  void a_reader_may_end_when_it_is_woken() {
    std::unique_ptr<Reader> ended;
    Reader first(log_, {}, std::nullopt, [&] { ended.reset(); });
    ended = std::make_unique<Reader>(log_, Filter{}, std::nullopt,
                                     [] { CPPUNIT_FAIL("woken when it was gone"); });
    tell({"alice"});
    CPPUNIT_ASSERT_EQUAL(size_t{1}, log_.readers());
  }

  void what_waits_for_a_loop_has_a_bound() {
    ctrl::EventLoop loop;
    std::vector<size_t> taken;
    Outbox outbox(kStart);
    outbox.add(carry_to(loop, 10, [&](const Batch& batch) { taken.push_back(batch->size()); }));
    for (int batch = 0; batch < 5; ++batch) {
      for (int i = 0; i < 6; ++i) outbox.tell(connected("alice"));
      outbox.flush(kStart);
    }
    event_base_loop(loop.base(), EVLOOP_NONBLOCK);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, taken.size());
    outbox.tell(connected("bob"));
    outbox.flush(kStart);
    event_base_loop(loop.base(), EVLOOP_NONBLOCK);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, taken.size());
  }

 private:
  void tell(const std::vector<std::string>& users) {
    for (const std::string& user : users) outbox_.tell(connected(user));
    outbox_.flush(kStart);
  }

  static std::string all_of(Reader& reader) {
    std::string result;
    while (const EventRef event = reader.next()) {
      result += (result.empty() ? "" : ", ") + text(*event);
    }
    return result;
  }

  Log log_{kLeastKept};
  Outbox outbox_{kStart};
};

CPPUNIT_TEST_SUITE_REGISTRATION(EventLogTest);

}  // namespace wirelay::test
