// Protects what passes between the API's thread and the control thread: questions, changes and
// their answers, while several clients ask, and when the API ends with answers under way.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <event2/event.h>

#include "cli/errors.h"
#include "cli/relay_client.h"
#include "ctrl/api/server.h"
#include "ctrl/events/outbox.h"
#include "ctrl/host/loop_thread.h"
#include "tests/support/temp_dir.h"
#include "tests/threads/two_threaded_relay.h"

namespace wirelay::ctrl {

namespace {

/// The API before it, on a thread of its own.
struct Served {
  test::TempDir folder;
  TwoThreadedRelay relay;
  std::unique_ptr<api::SocketFile> socket =
      std::make_unique<api::SocketFile>(folder.path("api.sock"));
  std::unique_ptr<api::Server> server =
      std::make_unique<api::Server>(relay.loop, relay, relay.events);
  std::unique_ptr<LoopThread> thread;

  Served() {
    server->listen(*socket, api::Right::kChange);
    thread = std::make_unique<LoopThread>(relay.loop, "api");
  }
  void end() {
    thread.reset();
    server.reset();
    event_base_loop(relay.loop.base(), EVLOOP_NONBLOCK);  // libevent closes connections in a turn
    socket.reset();
  }
};

class ApiThreadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ApiThreadTest);
  CPPUNIT_TEST(many_clients);
  CPPUNIT_TEST(an_end_with_answers_under_way);
  CPPUNIT_TEST(events_come_to_those_who_read);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { served_ = std::make_unique<Served>(); }
  void tearDown() override { served_.reset(); }

  void many_clients() {
    const int all = kClients * kRounds;
    std::atomic<int> done = 0;
    run_clients([&](Client& client) {
      for (int i = 0; i < kRounds; ++i) client.come_and_go();
      done += kRounds;
    });
    CPPUNIT_ASSERT_EQUAL(all, done.load());
  }

  void an_end_with_answers_under_way() {
    std::atomic<bool> begun = false, ended = false;
    run_clients(
        [&](Client& client) {
          try {
            while (!ended) {
              client.come_and_go();
              begun = true;
            }
          } catch (const cli::Unreachable&) {  // in the end
          }
        },
        [&] {
          while (!begun) std::this_thread::yield();
          served_->end();
          ended = true;
        });
  }

  /// This thread is the control thread: it tells, and waits for nobody.
  void events_come_to_those_who_read() {
    constexpr uint64_t kTold = 20'000, kOfTurn = 50;
    std::atomic<int> subscribed = 0;
    events::Outbox outbox(1'700'000'000'000'000'000);
    outbox.add(events::carry_to(served_->relay.loop, events::kDefaultKept,
                                [this](const auto& batch) { served_->relay.events.take(batch); }));
    run_clients(
        [&](Client& client) {
          client.relay.call("events.subscribe");
          ++subscribed;
          for (uint64_t heard = 0; heard < kTold;) {
            const Json::Value event = client.relay.await_notification();
            heard += event["kind"] == "lost" ? event["events"].asUInt64() : 1;
          }
        },
        [&] {
          while (subscribed < kClients) std::this_thread::yield();
          for (uint64_t told = 1; told <= kTold; ++told) {
            outbox.tell({.kind = events::Kind::kConnected, .user = "alice"});
            if (told % kOfTurn == 0) outbox.flush(0);
          }
          // What finds no room on its way is seen by what comes after it.
          std::this_thread::sleep_for(std::chrono::seconds(1));
          outbox.tell({.kind = events::Kind::kConnected, .user = "alice"});
          outbox.flush(0);
        });
  }

 private:
  static constexpr int kClients = 4, kRounds = 20;

  struct Client {
    cli::RelayClient relay;
    Json::Value user = Json::objectValue;

    void come_and_go() {
      relay.call("user.add", user);
      relay.call("user.list");
      relay.call("stats.get");
      relay.call("user.remove", user);
    }
  };

  /// Each on a thread; ends when they do. `meanwhile` runs beside them.
  template <typename Run, typename Meanwhile>
  void run_clients(Run run, Meanwhile meanwhile) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kClients; ++i) {
      threads.emplace_back([&run, i, path = served_->folder.path("api.sock")] {
        Client client{cli::RelayClient(path)};
        client.user["name"] = "user" + std::to_string(i);
        run(client);
      });
    }
    meanwhile();
  }
  template <typename Run>
  void run_clients(Run run) {
    run_clients(run, [] {});
  }

  std::unique_ptr<Served> served_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiThreadTest);

}  // namespace
}  // namespace wirelay::ctrl
