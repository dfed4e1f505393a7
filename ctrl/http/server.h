// HTTP: /metrics, /health and /ready, on a loop and thread of its own. Whoever reaches the address
// may ask, so nothing is without a bound: connections and how long they stay, what a request holds,
// and how often the control thread is asked.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <event2/http.h>
#include <event2/listener.h>

#include "ctrl/api/event_handles.h"
#include "ctrl/host/event_loop.h"
#include "ctrl/http/facts.h"
#include "ctrl/http/listen_socket.h"
#include "ctrl/http/page.h"
#include "ctrl/http/visitors.h"

namespace wirelay::ctrl::http {

struct ServerLimits {
  VisitorLimits visitors;
  std::chrono::milliseconds between{100};     // two questions to the control thread
  std::chrono::milliseconds patience{5'000};  // with the control thread
  std::chrono::milliseconds turning{1'000};   // with workers
  std::chrono::milliseconds look{1'000};      // from one to the next for those who stay too long
};

/// All on the loop's thread but for its beginning and end, when the loop does not run.
class Server {
 public:
  /// `loop`, `relay` and `socket` outlive the server, and `loop` what still answers to it. Throws
  /// std::runtime_error.
  Server(EventLoop& loop, RelayFace& relay, const ListenSocket& socket, ServerLimits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  enum class Phase : uint8_t { kStarting, kServing, kStopping };
  /// Any thread. Before it is told, the relay starts. Only while it serves its loop answers.
  void set_phase(Phase phase) noexcept { phase_.store(phase, std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  struct HttpFree {
    void operator()(evhttp* http) const noexcept { evhttp_free(http); }
  };
  /// Waits for what the control thread says.
  struct Request {
    evhttp_request* handle;
    Page page;
    Clock::time_point since;
  };
  /// Waits for workers to turn.
  struct Check {
    evhttp_request* handle;
    std::vector<std::string> missing;
    TurningWorkers workers;
    Clock::time_point since;
  };

  void serve(evhttp_request* request);
  bool answer_at_once(evhttp_request* request, Page page);
  void ask();
  void take(const Facts& facts);
  void look_after_workers();
  void look_after_visitors();
  void give_up(std::vector<Request>& requests);
  void reply(evhttp_request* request, const Reply& reply);
  bufferevent* admit();

  EventLoop& loop_;
  RelayFace& relay_;
  const ServerLimits limits_;
  std::atomic<Phase> phase_{Phase::kStarting};
  bool asking_ = false;             // the control thread has not answered yet
  Clock::time_point asked_at_{};    // last
  std::vector<Request> waiting_;    // for the next question
  std::vector<Request> asked_for_;  // that the present question is for
  std::vector<Check> checks_;
  Visitors visitors_;
  api::EventPtr ask_later_, workers_timer_, visitors_timer_;
  std::unique_ptr<evhttp, HttpFree> http_;  // before the rest: it calls back while it ends
  evconnlistener* listener_ = nullptr;      // http_'s
  std::shared_ptr<const bool> here_ = std::make_shared<const bool>(true);  // gone with the server
};

}  // namespace wirelay::ctrl::http
