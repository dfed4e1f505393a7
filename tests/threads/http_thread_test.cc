// Protects what passes between the thread of HTTP and the control thread: questions and answers,
// and an end with some of them under way.
#include <atomic>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/http/server.h"
#include "tests/threads/two_threaded_relay.h"

namespace wirelay::ctrl {

namespace {

const dataplane::Endpoint kFreePort{*dataplane::parse_ip("127.0.0.1"), 0};

/// How many bytes come for a page; 0 where nobody serves.
size_t ask_for(const char* path, uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request =
      std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  size_t bytes = 0;
  char part[4096];
  if (connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
    for (ssize_t n; (n = recv(fd, part, sizeof part, 0)) > 0;) bytes += static_cast<size_t>(n);
  }
  close(fd);
  return bytes;
}

class HttpThreadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HttpThreadTest);
  CPPUNIT_TEST(several_ask);
  CPPUNIT_TEST(an_end_with_answers_under_way);
  CPPUNIT_TEST_SUITE_END();

 public:
  void several_ask() {
    std::atomic<int> answered = 0;
    run_clients([&](uint16_t port) {
      for (const char* path : {"/health", "/metrics", "/ready", "/nothing"}) {
        if (ask_for(path, port) > 0) ++answered;
      }
    });
    CPPUNIT_ASSERT_EQUAL(16, answered.load());
  }

  void an_end_with_answers_under_way() {
    std::atomic<bool> begun = false;
    run_clients(
        [&](uint16_t port) {
          while (ask_for("/metrics", port) > 0) begun = true;
        },
        [&] {
          while (!begun) std::this_thread::yield();
          served_.end();
        });
  }

 private:
  static http::ServerLimits quick() {
    http::ServerLimits limits;
    limits.between = limits.turning = std::chrono::milliseconds(1);
    return limits;
  }

  struct Served {
    TwoThreadedRelay relay;
    std::unique_ptr<http::ListenSocket> socket = std::make_unique<http::ListenSocket>(kFreePort);
    std::unique_ptr<http::Server> server =
        std::make_unique<http::Server>(relay.loop, relay, *socket, quick());
    std::unique_ptr<LoopThread> thread = std::make_unique<LoopThread>(relay.loop, "http");

    void end() {
      thread.reset();
      server.reset();
      event_base_loop(relay.loop.base(), EVLOOP_NONBLOCK);  // libevent closes them in a turn
      socket.reset();
    }
  };

  template <typename Act>
  void run_clients(
      const Act& act, const std::function<void()>& meanwhile = [] {}) {
    served_.server->set_phase(http::Server::Phase::kServing);
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i)
      clients.emplace_back([&, port = served_.socket->port()] { act(port); });
    meanwhile();
  }

  Served served_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(HttpThreadTest);

}  // namespace

}  // namespace wirelay::ctrl
