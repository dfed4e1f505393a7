// Protects the relay from whoever reaches its HTTP: each is answered, and nobody holds up others.
#include "ctrl/http/server.h"

#include <csignal>
#include <list>
#include <vector>

#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/base/problem.h"
#include "tests/support/fake_relay.h"

namespace wirelay::ctrl::http {
namespace {

using std::chrono::milliseconds;
using test::FakeRelay;

const dataplane::Endpoint kAnywhere{*dataplane::parse_ip("127.0.0.1"), 0};

/// A connection that never blocks.
class Browser {
 public:
  explicit Browser(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CPPUNIT_ASSERT_EQUAL(0, connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at));
  }
  ~Browser() { close(fd_); }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  void send(std::string_view bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void get(const std::string& path, const std::string& headers = "") {
    send("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
  }
  /// What has come.
  const std::string& received() {
    char bytes[4096];
    for (ssize_t n = 1; n > 0;) {
      n = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
      if (n > 0) text_.append(bytes, static_cast<size_t>(n));
      closed_ = closed_ || n == 0 || (n < 0 && errno == ECONNRESET);
    }
    return text_;
  }
  bool closed() {
    received();
    return closed_;
  }

 private:
  int fd_;
  std::string text_;
  bool closed_ = false;
};

class HttpServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HttpServerTest);
  CPPUNIT_TEST(pages);
  CPPUNIT_TEST(formats);
  CPPUNIT_TEST(while_it_starts_and_stops);
  CPPUNIT_TEST(ready_when_workers_turn);
  CPPUNIT_TEST(one_question_for_all_who_wait);
  CPPUNIT_TEST(a_control_thread_that_does_not_answer);
  CPPUNIT_TEST(other_methods_and_large_requests);
  CPPUNIT_TEST(idle_connections_make_room);
  CPPUNIT_TEST(half_a_request_ends);
  CPPUNIT_TEST(clients_that_leave);
  CPPUNIT_TEST(an_address_that_is_taken);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { std::signal(SIGPIPE, SIG_IGN); }

  void pages() {
    Lab lab;
    CPPUNIT_ASSERT(lab.answer("/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
    CPPUNIT_ASSERT(lab.answer("/metrics?x=1").find("\nrelay_uptime_seconds ") != std::string::npos);
    CPPUNIT_ASSERT(lab.answer("/health").ends_with("\r\n\r\nthe relay serves\n"));
    CPPUNIT_ASSERT(lab.answer("/").starts_with("HTTP/1.1 404 "));
    CPPUNIT_ASSERT(lab.answer("/metrics/").find("\n/ready\n") != std::string::npos);
  }

  void formats() {
    Lab lab;
    Browser browser(lab.port());
    browser.get("/metrics", "Accept: application/openmetrics-text\r\n");
    const std::string& text = lab.await(browser, "# EOF\n");
    CPPUNIT_ASSERT(text.find("Content-Type: application/openmetrics-text; version=1.0.0; "
                             "charset=utf-8\r\n") != std::string::npos);
    CPPUNIT_ASSERT(lab.answer("/metrics").find("Content-Type: text/plain; version=0.0.4; ") !=
                   std::string::npos);
  }

  void while_it_starts_and_stops() {
    Lab lab;
    lab.server.set_phase(Server::Phase::kStarting);
    CPPUNIT_ASSERT(lab.answer("/health").starts_with("HTTP/1.1 200 "));
    CPPUNIT_ASSERT(lab.answer("/metrics").starts_with("HTTP/1.1 503 "));
    lab.server.set_phase(Server::Phase::kStopping);
    const std::string ready = lab.answer("/ready");
    CPPUNIT_ASSERT(ready.starts_with("HTTP/1.1 503 "));
    CPPUNIT_ASSERT(ready.ends_with("{\"missing\":[\"the relay stops\"],\"ready\":false}\n"));
  }

  void ready_when_workers_turn() {
    ServerLimits limits = Lab::quick();
    limits.turning = milliseconds(60'000);
    Lab lab(limits);
    Browser browser(lab.port());
    browser.get("/ready");
    for (int i = 0; i < 20; ++i) lab.turn();
    CPPUNIT_ASSERT_EQUAL(std::string(), browser.received());
    lab.relay.worker.polls.add(1);
    CPPUNIT_ASSERT(lab.await(browser, "}\n").find("{\"missing\":[],\"ready\":true}") !=
                   std::string::npos);

    limits.turning = milliseconds(0);
    Lab standing(limits);
    CPPUNIT_ASSERT(standing.answer("/ready").ends_with(
        "{\"missing\":[\"worker 0 does not turn\"],\"ready\":false}\n"));
  }

  void one_question_for_all_who_wait() {
    Lab lab;
    int questions = 0;
    lab.relay.on_collect = [&] { ++questions; };
    lab.answer("/health");
    std::list<Browser> browsers;
    for (int i = 0; i < 20; ++i) browsers.emplace_back(lab.port()).get("/health");
    for (Browser& browser : browsers) lab.await(browser, "serves\n");
    CPPUNIT_ASSERT_MESSAGE(std::to_string(questions), questions <= 3);
  }

  void a_control_thread_that_does_not_answer() {
    ServerLimits limits = Lab::quick();
    limits.patience = milliseconds(0);
    Lab lab(limits);
    lab.relay.holds = true;
    CPPUNIT_ASSERT(lab.answer("/health").starts_with("HTTP/1.1 503 "));
    CPPUNIT_ASSERT(lab.answer("/ready").find("the control thread does not answer") !=
                   std::string::npos);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab.relay.held.size());  // it is not asked again meanwhile
    lab.relay.release();
    CPPUNIT_ASSERT(lab.answer("/health").starts_with("HTTP/1.1 200 "));
  }

  void other_methods_and_large_requests() {
    Lab lab;
    Browser post(lab.port()), head(lab.port()), headers(lab.port()), nonsense(lab.port());
    post.send("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    CPPUNIT_ASSERT(lab.await(post, "HEAD\n").starts_with("HTTP/1.1 405 "));
    head.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    CPPUNIT_ASSERT(lab.await(head, "\r\n\r\n").ends_with("\r\n\r\n"));
    headers.send("GET /metrics HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
    nonsense.send(std::string("\0\1\2\r\n\r\n", 7));
    Browser body(lab.port());
    body.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nxxxx");
    lab.turn_until([&] { return headers.closed() && nonsense.closed() && body.closed(); });
    CPPUNIT_ASSERT(lab.answer("/health").starts_with("HTTP/1.1 200 "));
  }

  void idle_connections_make_room() {
    ServerLimits limits = Lab::quick();
    limits.visitors.most = 8;
    limits.visitors.youth = milliseconds(0);
    Lab lab(limits);
    std::list<Browser> idle;
    for (int i = 0; i < 50; ++i) idle.emplace_back(lab.port());
    CPPUNIT_ASSERT(lab.answer("/health").starts_with("HTTP/1.1 200 "));
    CPPUNIT_ASSERT(idle.front().closed());
  }

  void half_a_request_ends() {
    ServerLimits limits = Lab::quick();
    limits.visitors.stay = milliseconds(1);
    Lab lab(limits);
    Browser browser(lab.port());
    browser.send("GET /metr");
    lab.turn_until([&] { return browser.closed(); });
  }

  void clients_that_leave() {
    Lab lab;
    lab.relay.holds = true;
    for (int i = 0; i < 20; ++i) {
      Browser browser(lab.port());
      browser.get("/metrics");
      for (int turns = 0; turns < 5; ++turns) lab.turn();
    }
    lab.relay.release();
    CPPUNIT_ASSERT(lab.answer("/health").starts_with("HTTP/1.1 200 "));
  }

  void an_address_that_is_taken() {
    const ListenSocket first(kAnywhere);
    try {
      const ListenSocket second({kAnywhere.addr, first.port()});
      CPPUNIT_FAIL("listens twice");
    } catch (const Refused& refused) {
      CPPUNIT_ASSERT_EQUAL(std::string("http.listen"), refused.problems[0].path);
      CPPUNIT_ASSERT(refused.problems[0].message.find("Address already in use") !=
                     std::string::npos);
    }
    const ListenSocket v6({*dataplane::parse_ip("::1"), 0});
    CPPUNIT_ASSERT(v6.port() != 0);
  }

 private:
  /// Holds questions back when a test says so.
  class HoldingRelay : public FakeRelay {
   public:
    bool holds = false;
    std::vector<Work> held;
    void collect(Work work) override {
      if (holds) return held.push_back(std::move(work));
      FakeRelay::collect(std::move(work));
    }
    void release() {
      holds = false;
      for (Work& work : std::exchange(held, {})) FakeRelay::collect(std::move(work));
    }
  };

  struct Lab {
    static ServerLimits quick() {
      ServerLimits limits;
      limits.between = limits.look = milliseconds(1);
      return limits;
    }
    explicit Lab(ServerLimits limits = quick()) : server(relay.loop, relay, socket, limits) {
      server.set_phase(Server::Phase::kServing);
    }
    HoldingRelay relay;
    ListenSocket socket{kAnywhere};
    Server server;

    [[nodiscard]] uint16_t port() const { return socket.port(); }
    void turn() { event_base_loop(relay.loop.base(), EVLOOP_NONBLOCK); }
    void turn_until(const std::function<bool()>& reached) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (!reached()) {
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() < end);
        turn();
      }
    }
    /// What `browser` has received once that holds `part`.
    const std::string& await(Browser& browser, std::string_view part) {
      turn_until([&] { return browser.received().find(part) != std::string::npos; });
      return browser.received();
    }
    std::string answer(const std::string& path) {
      Browser browser(port());
      browser.get(path, "Connection: close\r\n");
      turn_until([&] { return browser.closed(); });
      return browser.received();
    }
  };
};

CPPUNIT_TEST_SUITE_REGISTRATION(HttpServerTest);

}  // namespace
}  // namespace wirelay::ctrl::http
