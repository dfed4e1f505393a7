// Requests come in at once and wait, together, for one answer of the control thread.
#include "ctrl/http/server.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <event2/buffer.h>

namespace wirelay::ctrl::http {

namespace {

constexpr ssize_t kMostHeaderBytes = 8192;
constexpr std::chrono::milliseconds kLookWhenFull{10}, kLookAtWorkers{10};
constexpr int kAllMethods = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                            EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH;

void run_timer(const api::EventPtr& timer, std::chrono::milliseconds delay) {
  const timeval time = api::to_timeval(delay);
  event_add(timer.get(), &time);
}

template <typename Self, void (Self::*kAct)()>
void on_timer(evutil_socket_t, short, void* self) noexcept {
  (static_cast<Self*>(self)->*kAct)();
}

const bufferevent* visitor_of(evhttp_request* request) {
  return evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
}

void forget_text(const void*, size_t, void* text) {
  delete static_cast<std::shared_ptr<const std::string>*>(text);
}

/// In place of libevent's own, which goes on at once, and for ever while no file can be opened.
void on_accept_error(evconnlistener* listener, void*) { evconnlistener_disable(listener); }

std::string_view path_of(evhttp_request* request) {
  const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
  const char* path = uri == nullptr ? nullptr : evhttp_uri_get_path(uri);
  return path == nullptr ? "" : path;
}

std::string_view accept_of(evhttp_request* request) {
  const char* accept = evhttp_find_header(evhttp_request_get_input_headers(request), "Accept");
  return accept == nullptr ? "" : accept;
}

}  // namespace

Server::Server(EventLoop& loop, RelayFace& relay, const ListenSocket& socket, ServerLimits limits)
    : loop_(loop),
      relay_(relay),
      limits_(limits),
      visitors_(limits.visitors),
      ask_later_(evtimer_new(loop.base(), (on_timer<Server, &Server::ask>), this)),
      workers_timer_(
          evtimer_new(loop.base(), (on_timer<Server, &Server::look_after_workers>), this)),
      visitors_timer_(
          evtimer_new(loop.base(), (on_timer<Server, &Server::look_after_visitors>), this)),
      http_(evhttp_new(loop.base())) {
  listener_ =
      evconnlistener_new(loop.base(), nullptr, nullptr, LEV_OPT_CLOSE_ON_EXEC, 0, socket.fd());
  if (!ask_later_ || !workers_timer_ || !visitors_timer_ || !http_ || listener_ == nullptr ||
      evhttp_bind_listener(http_.get(), listener_) == nullptr) {
    throw std::runtime_error("cannot serve HTTP");
  }
  evconnlistener_set_error_cb(listener_, on_accept_error);
  evhttp_set_bevcb(
      http_.get(), [](event_base*, void* self) { return static_cast<Server*>(self)->admit(); },
      this);
  evhttp_set_gencb(
      http_.get(),
      [](evhttp_request* request, void* self) { static_cast<Server*>(self)->serve(request); },
      this);
  evhttp_set_allowed_methods(http_.get(), kAllMethods);
  evhttp_set_max_headers_size(http_.get(), kMostHeaderBytes);
  evhttp_set_max_body_size(http_.get(), 0);
  const timeval stay = api::to_timeval(limits.visitors.stay);
  evhttp_set_timeout_tv(http_.get(), &stay);
  run_timer(visitors_timer_, limits_.look);
}

Server::~Server() = default;

bufferevent* Server::admit() {
  if (visitors_.full()) visitors_.sweep();
  bufferevent* visitor = visitors_.admit(loop_.base());
  if (visitors_.full()) {  // the next ones wait in the socket
    evconnlistener_disable(listener_);
    run_timer(visitors_timer_, kLookWhenFull);
  }
  return visitor;
}

void Server::serve(evhttp_request* request) {
  visitors_.asked(visitor_of(request));
  const evhttp_cmd_type method = evhttp_request_get_command(request);
  if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
    evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
    return reply(request, plain_reply(kBadMethod, "only GET and HEAD\n"));
  }
  const auto page = find_page(path_of(request));
  if (!page) return reply(request, no_such_page());
  if (answer_at_once(request, *page)) return;
  waiting_.push_back({request, *page, Clock::now()});
  ask();
}

/// While the control thread's loop does not run.
bool Server::answer_at_once(evhttp_request* request, Page page) {
  const Phase phase = phase_.load(std::memory_order_relaxed);
  if (phase == Phase::kServing) return false;
  const char* what = phase == Phase::kStarting ? "the relay starts" : "the relay stops";
  switch (page) {
    case Page::kHealth:
      reply(request, plain_reply(kOk, std::string(what) + '\n'));
      break;
    case Page::kReady:
      reply(request, ready_reply({what}));
      break;
    case Page::kMetrics:
      reply(request, plain_reply(kUnavailable, std::string(what) + '\n'));
      break;
  }
  return true;
}

void Server::ask() {
  if (asking_ || waiting_.empty()) return;
  const auto now = Clock::now();
  if (const auto next = asked_at_ + limits_.between; now < next) {
    return run_timer(ask_later_, std::chrono::ceil<std::chrono::milliseconds>(next - now));
  }
  asking_ = true;
  asked_at_ = now;
  asked_for_.swap(waiting_);
  relay_.collect([this, finder = std::make_shared<FactFinder>(), &loop = loop_,
                  here = std::weak_ptr(here_)](const RelayFace& relay, const Slice& slice) mutable {
    if (!finder->run(relay, slice)) return false;
    // Handed over: to free it all would take the control thread long.
    loop.post([this, finder = std::move(finder), here] {
      if (!here.expired()) take(finder->facts());
    });
    return true;
  });
}

void Server::take(const Facts& facts) {
  asking_ = false;
  MetricsReplies metrics(facts);
  for (const Request& request : std::exchange(asked_for_, {})) {
    switch (request.page) {
      case Page::kMetrics:
        reply(request.handle, metrics.reply(choose_format(accept_of(request.handle))));
        break;
      case Page::kHealth:
        reply(request.handle, plain_reply(kOk, "the relay serves\n"));
        break;
      case Page::kReady:
        checks_.push_back(
            {request.handle, missing_of(facts), TurningWorkers(facts.workers), Clock::now()});
        run_timer(workers_timer_, kLookAtWorkers);
        break;
    }
  }
  ask();
}

void Server::look_after_workers() {
  std::erase_if(checks_, [this](Check& check) {
    std::vector<std::string> standing = check.workers.standing();
    if (!standing.empty() && Clock::now() - check.since < limits_.turning) return false;
    std::ranges::move(standing, std::back_inserter(check.missing));
    reply(check.handle, ready_reply(check.missing));
    return true;
  });
  if (!checks_.empty()) run_timer(workers_timer_, kLookAtWorkers);
}

void Server::look_after_visitors() {
  give_up(asked_for_);
  give_up(waiting_);
  visitors_.sweep();
  if (!visitors_.full()) evconnlistener_enable(listener_);
  run_timer(visitors_timer_, visitors_.full() ? kLookWhenFull : limits_.look);
}

/// On those that have waited for too long. The question itself is not asked again before it is
/// answered.
void Server::give_up(std::vector<Request>& requests) {
  std::erase_if(requests, [this](const Request& request) {
    if (Clock::now() - request.since < limits_.patience) return false;
    const char* what = "the control thread does not answer";
    reply(request.handle, request.page == Page::kReady
                              ? ready_reply({what})
                              : plain_reply(kUnavailable, std::string(what) + '\n'));
    return true;
  });
}

void Server::reply(evhttp_request* request, const Reply& reply) {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", reply.type);
  evhttp_add_header(headers, "Cache-Control", "no-store");
  evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
  if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
    evbuffer_add_reference(evhttp_request_get_output_buffer(request), reply.text->data(),
                           reply.text->size(), forget_text,
                           new std::shared_ptr<const std::string>(reply.text));
  }
  visitors_.answered(visitor_of(request));
  evhttp_send_reply(request, reply.code, nullptr, nullptr);
}

}  // namespace wirelay::ctrl::http
