// Protects: that whoever subscribes gets each event once and in order on its connection, that one
// who does not read is closed by nobody, holds a bounded part of the relay's memory and is told how
// much it has missed, and that the others notice nothing.
#include <list>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/events/outbox.h"
#include "tests/ctrl/api/calls.h"

namespace wirelay::ctrl::api {

namespace {

const std::string kSubscribe = R"({"jsonrpc":"2.0","method":"events.subscribe","id":7})"
                               "\n";

bool is_event(const std::string& line, const std::string& user) {
  return line.find(R"("method":"event")") != std::string::npos &&
         line.find("\"user\":\"" + user + '"') != std::string::npos;
}

}  // namespace

class EventsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EventsTest);
  CPPUNIT_TEST(kept_events_are_listed);
  CPPUNIT_TEST(unknown_kinds_are_refused);
  CPPUNIT_TEST(subscriber_hears_and_may_still_ask);
  CPPUNIT_TEST(subscriber_begins_where_it_stopped);
  CPPUNIT_TEST(readers_may_subscribe);
  CPPUNIT_TEST(sleeping_subscriber_is_told_what_it_missed);
  CPPUNIT_TEST(subscriber_that_leaves_is_forgotten);
  CPPUNIT_TEST(subscribers_are_bounded);
  CPPUNIT_TEST(half_closed_subscriber_hears_on);
  CPPUNIT_TEST_SUITE_END();

 public:
  void kept_events_are_listed() {
    ApiLab lab;
    tell(lab, 3);
    RawClient client(lab);
    client.send_all(R"({"jsonrpc":"2.0","method":"events.list","id":1,"params":{"limit":2}})"
                    "\n");
    const std::string page = client.await_line();
    CPPUNIT_ASSERT(page.find(R"("user":"u1")") != std::string::npos);
    CPPUNIT_ASSERT(page.find(R"("user":"u2")") == std::string::npos);
    CPPUNIT_ASSERT(page.find(R"("next":)" + std::to_string(kFirst + 1)) != std::string::npos);
    client.send_all(
        R"({"jsonrpc":"2.0","method":"events.list","id":1,"params":{"user":"u2","kinds":["refused"]}})"
        "\n");
    const std::string last = client.await_line();
    CPPUNIT_ASSERT(last.find(R"("user":"u2")") != std::string::npos);
    CPPUNIT_ASSERT(last.find(R"("next":null)") != std::string::npos);
  }

  void unknown_kinds_are_refused() {
    ApiLab lab;
    RawClient client(lab);
    client.send_all(
        R"({"jsonrpc":"2.0","method":"events.list","id":1,"params":{"kinds":["quota","x"]}})"
        "\n");
    const std::string refusal = client.await_line();
    CPPUNIT_ASSERT(is_error(refusal, kInvalidParams));
    CPPUNIT_ASSERT(refusal.find("params.kinds[1]") != std::string::npos);
  }

  void subscriber_hears_and_may_still_ask() {
    ApiLab lab;
    tell(lab, 2);
    RawClient client(lab);
    subscribe(client);
    tell(lab, 1);
    CPPUNIT_ASSERT(is_event(client.await_line(), "u0"));
    CPPUNIT_ASSERT(served(client));
    tell(lab, 2);
    CPPUNIT_ASSERT(is_event(client.await_line(), "u0"));
    CPPUNIT_ASSERT(is_event(client.await_line(), "u1"));
    CPPUNIT_ASSERT(!client.line().has_value());
  }

  void subscriber_begins_where_it_stopped() {
    ApiLab lab;
    tell(lab, 5);
    RawClient client(lab);
    client.send_all(R"({"jsonrpc":"2.0","method":"events.subscribe","id":7,"params":{"since":)" +
                    std::to_string(kFirst + 2) + "}}\n");
    CPPUNIT_ASSERT(is_result(client.await_line()));
    CPPUNIT_ASSERT(is_event(client.await_line(), "u3"));
    CPPUNIT_ASSERT(is_event(client.await_line(), "u4"));
  }

  void readers_may_subscribe() {
    ApiLab lab({}, Right::kRead);
    RawClient client(lab);
    subscribe(client);
    tell(lab, 1);
    CPPUNIT_ASSERT(is_event(client.await_line(), "u0"));
  }

  void sleeping_subscriber_is_told_what_it_missed() {
    ServerLimits limits;
    limits.client.stalled_reader = std::chrono::milliseconds(10);
    ApiLab lab(limits);
    RawClient sleeper(lab), reader(lab);
    subscribe(sleeper);
    subscribe(reader);
    constexpr int kRounds = 60, kEach = 1000;
    for (int i = 0; i < kRounds; ++i) {
      tell(lab, kEach);
      for (int heard = 0; heard < kEach; ++heard) {
        CPPUNIT_ASSERT(is_event(reader.await_line(), "u" + std::to_string(heard)));
      }
      CPPUNIT_ASSERT_EQUAL(size_t{2}, lab.relay.events.readers());  // not closed
    }
    uint64_t heard = 0, lost = 0;
    while (heard + lost < uint64_t{kRounds} * kEach) {
      const std::string line = sleeper.await_line();
      const auto at = line.find(R"("events":)");
      if (at != std::string::npos) {
        lost += std::stoull(line.substr(at + 9));
      } else {
        ++heard;
      }
    }
    CPPUNIT_ASSERT(lost > 0 && heard > 0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kRounds} * kEach, heard + lost);
  }

  void subscriber_that_leaves_is_forgotten() {
    ApiLab lab;
    {
      RawClient client(lab);
      subscribe(client);
    }
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.relay.events.readers() == 0; }));
  }

  void subscribers_are_bounded() {
    ApiLab lab({}, Right::kRead);
    std::list<RawClient> clients;
    for (size_t i = 0; i < events::kMostReaders / 2; ++i) {
      clients.emplace_back(lab);
      subscribe(clients.back());
    }
    RawClient late(lab);
    late.send_all(kSubscribe);
    CPPUNIT_ASSERT(is_error(late.await_line(), kBusy));
    CPPUNIT_ASSERT(served(late));
  }

  void half_closed_subscriber_hears_on() {
    ApiLab lab;
    RawClient client(lab);
    client.send_all(kSubscribe);
    client.shut_down_writing();
    CPPUNIT_ASSERT(is_result(client.await_line()));
    tell(lab, 1);
    CPPUNIT_ASSERT(is_event(client.await_line(), "u0"));
  }

 private:
  static constexpr uint64_t kFirst = 1'700'000'000'000'000;

  static void subscribe(RawClient& client) {
    client.send_all(kSubscribe);
    CPPUNIT_ASSERT(is_result(client.await_line()));
  }

  /// Of "u0", "u1", ...
  void tell(ApiLab& lab, int n) {
    for (int i = 0; i < n; ++i) {
      outbox_.tell({.kind = events::Kind::kRefused, .user = "u" + std::to_string(i)});
    }
    batch_.reset();
    outbox_.flush(kFirst * 1000);
    lab.relay.events.take(batch_);
  }

  events::Batch batch_;
  events::Outbox outbox_ = [this] {
    events::Outbox outbox(kFirst * 1000);
    outbox.add([this](const events::Batch& batch) { batch_ = batch; });
    return outbox;
  }();
};

CPPUNIT_TEST_SUITE_REGISTRATION(EventsTest);

}  // namespace wirelay::ctrl::api
