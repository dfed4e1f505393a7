// Protects the API's clients from each other: nobody holds others up, and who has to go when there
// are too many.
#include "ctrl/api/server.h"

#include <algorithm>
#include <list>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/api/calls.h"

namespace wirelay::ctrl::api {

class ServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerTest);
  CPPUNIT_TEST(a_long_batch_does_not_hold_up_others);
  CPPUNIT_TEST(a_reload_does_not_hold_up_others);
  CPPUNIT_TEST(a_thousand_connections_do_not_lock_others_out);
  CPPUNIT_TEST(a_client_that_waits_is_not_thrown_out);
  CPPUNIT_TEST(a_client_that_has_just_come_makes_no_room);
  CPPUNIT_TEST(short_calls_go_before_long_ones);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_long_batch_does_not_hold_up_others() {
    ServerLimits limits;
    limits.client.slice = std::chrono::milliseconds(0);  // one call a turn
    ApiLab lab(limits);
    RawClient busy(lab), other(lab);
    CPPUNIT_ASSERT(served(busy) && served(other));
    std::string batch = "[";
    for (int i = 0; i < 500; ++i) {
      batch += std::string(i == 0 ? "" : ",") + R"({"jsonrpc":"2.0","method":"drops.get","id":1})";
    }
    busy.send_all(batch + "]\n");
    other.send_all(kStatus);
    for (int i = 0; i < 50; ++i) lab.turn();
    CPPUNIT_ASSERT(other.line().has_value());
    CPPUNIT_ASSERT(!busy.line().has_value());
    CPPUNIT_ASSERT(is_result(busy.await_line()));
  }

  void a_reload_does_not_hold_up_others() {
    ApiLab lab;
    lab.relay.slow_reload = true;
    RawClient reloading(lab), other(lab);
    reloading.send_all(kReload);
    for (int i = 0; i < 10; ++i) CPPUNIT_ASSERT(served(other));
    reloading.send_all(kStatus);  // has its turn behind the reload
    CPPUNIT_ASSERT(served(other));
    CPPUNIT_ASSERT(!reloading.line().has_value());
    lab.relay.reloading.front()({.error = nullptr, .counts = {.users_added = 8}});
    CPPUNIT_ASSERT(reloading.await_line().find("\"users_added\":8") != std::string::npos);
    CPPUNIT_ASSERT(is_result(reloading.await_line()));
  }

  void a_thousand_connections_do_not_lock_others_out() {
    ServerLimits limits;
    limits.clients = 100;
    limits.youth = std::chrono::milliseconds(0);
    ApiLab lab(limits);
    std::list<RawClient> crowd;
    RawClient active(lab);
    for (int i = 0; i < 1000; ++i) {
      // Descriptors are few in some environments: whoever was pushed out is let go.
      if (crowd.size() > 200) crowd.pop_front();
      crowd.emplace_back(lab);
      if (i % 50 == 0) CPPUNIT_ASSERT(served(active));
    }
    RawClient late(lab);
    CPPUNIT_ASSERT(served(late));
    CPPUNIT_ASSERT(served(active));
    CPPUNIT_ASSERT_EQUAL(size_t{100}, lab.server.clients());
    CPPUNIT_ASSERT(crowd.front().await_close());
  }

  void a_client_that_waits_is_not_thrown_out() {
    ServerLimits limits;
    limits.clients = 3;
    limits.youth = std::chrono::milliseconds(0);
    ApiLab lab(limits);
    lab.relay.slow_reload = true;
    RawClient first(lab), second(lab);
    first.send_all(kReload);
    second.send_all(kReload);
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.relay.reloading.size() == 2; }));
    RawClient idle(lab);
    CPPUNIT_ASSERT(served(idle));
    RawClient third(lab);
    third.send_all(kReload);  // in the place of the idle one
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.relay.reloading.size() == 3; }));
    CPPUNIT_ASSERT(idle.await_close());
    RawClient late(lab);
    const std::string told = late.await_line();
    CPPUNIT_ASSERT_MESSAGE(told, is_error(told, -32003));
    CPPUNIT_ASSERT(late.await_close());
    for (const auto& done : lab.relay.reloading) done({});
    for (RawClient* client : {&first, &second, &third}) {
      CPPUNIT_ASSERT(is_result(client->await_line()));
    }
  }

  void a_client_that_has_just_come_makes_no_room() {
    ServerLimits limits;
    limits.clients = 1;
    ApiLab lab(limits);
    RawClient first(lab);
    CPPUNIT_ASSERT(served(first));
    RawClient second(lab);
    CPPUNIT_ASSERT(is_error(second.await_line(), -32003));
    CPPUNIT_ASSERT(served(first));
  }

  /// All lines are there before any is answered. Some long ones may be read whole before the short
  /// one.
  void short_calls_go_before_long_ones() {
    ApiLab lab;
    std::list<RawClient> hogs;
    for (int i = 0; i < 50; ++i) hogs.emplace_back(lab);
    RawClient other(lab);
    for (RawClient& hog : hogs) CPPUNIT_ASSERT(served(hog));
    const std::string zeros =
        R"({"jsonrpc":"2.0","id":1,"method":"user.add","params":{"users":[0)" +
        [] {
          std::string list;
          for (int i = 0; i < 50'000; ++i) list += ",0";
          return list;
        }() +
        "]}}\n";
    for (RawClient& hog : hogs) hog.send(zeros);
    const auto answered = [&] {
      return std::ranges::count_if(hogs, [](RawClient& hog) { return hog.line().has_value(); });
    };
    ptrdiff_t before = 50;
    lab.relay.on_collect = [&] { before = answered(); };
    other.send(kStatus);
    CPPUNIT_ASSERT(lab.turn_until([&] { return other.line().has_value(); }));
    CPPUNIT_ASSERT_MESSAGE(std::to_string(before), before < 10);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerTest);

}  // namespace wirelay::ctrl::api
