// A connection on a libevent stream. Whenever something may have become possible - bytes came,
// replies left, a turn of the loop passed - work() looks at all of it afresh.
#include "ctrl/api/client.h"

#include <event2/buffer.h>

namespace wirelay::ctrl::api {

namespace {

constexpr timeval kNextTurn{0, 0};
constexpr timeval kAskAgain{0, 5000};  // for a result that takes long

bool blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

}  // namespace

Client::Client(event_base* base, evutil_socket_t fd, RelayFace& relay, const ClientLimits& limits,
               ClientHost& host)
    : relay_(relay),
      limits_(limits),
      host_(host),
      stream_(bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE)),
      resume_(evtimer_new(base, on_resume, this)),
      deadline_(evtimer_new(base, on_deadline, this)) {
  bufferevent_setcb(stream_.get(), on_read, on_drained, on_event, this);
  // One byte more than a line and its newline could need tells a line that is too long.
  bufferevent_setwatermark(stream_.get(), EV_READ, 0, limits.exchange.message.line_bytes + 1);
  const timeval stalled = to_timeval(limits.stalled_reader);
  bufferevent_set_timeouts(stream_.get(), nullptr, &stalled);
  bufferevent_enable(stream_.get(), EV_READ | EV_WRITE);
  const timeval idle = to_timeval(limits.idle);
  event_add(deadline_.get(), &idle);
}

void Client::work() {
  const auto end = std::chrono::steady_clock::now() + limits_.slice;
  while (step()) {
    const bool waiting = exchange_ && exchange_->waiting();
    if (!waiting && std::chrono::steady_clock::now() < end) continue;
    event_add(resume_.get(), waiting ? &kAskAgain : &kNextTurn);
    return;
  }
  if (ending_ && unsent() == 0) {
    host_.closed(*this);
    return;
  }
  watch_progress();
}

bool Client::step() {
  if (exchange_) {
    exchange_->step();
    if (exchange_->done()) {
      send(exchange_->take_reply());
      exchange_.reset();
    }
    return true;
  }
  if (unsent() > limits_.waiting_bytes) return false;
  const auto line = take_line();
  if (!line) return false;
  host_.used(*this);
  if (!blank(*line)) exchange_.emplace(relay_, *line, limits_.exchange);
  return true;
}

std::optional<std::string> Client::take_line() {
  evbuffer* input = bufferevent_get_input(stream_.get());
  const size_t have = evbuffer_get_length(input);
  evbuffer_ptr from;
  if (have == 0 || evbuffer_ptr_set(input, &from, searched_, EVBUFFER_PTR_SET) != 0) return {};
  const evbuffer_ptr newline = evbuffer_search_eol(input, &from, nullptr, EVBUFFER_EOL_LF);
  if (newline.pos < 0) {
    searched_ = have;
    if (have > limits_.exchange.message.line_bytes) refuse_long_line();
    return {};
  }
  std::string line(static_cast<size_t>(newline.pos), '\0');
  evbuffer_remove(input, line.data(), line.size());
  evbuffer_drain(input, 1);
  searched_ = 0;
  in_line_ = false;
  event_del(deadline_.get());
  return line;
}

void Client::refuse_long_line() {
  bufferevent_disable(stream_.get(), EV_READ);
  evbuffer* input = bufferevent_get_input(stream_.get());
  evbuffer_drain(input, evbuffer_get_length(input));
  searched_ = 0;
  ending_ = true;
  send(too_long_reply(limits_.exchange.message));
}

void Client::send(const std::string& text) {
  if (!text.empty()) bufferevent_write(stream_.get(), text.data(), text.size());
}

/// A line that has begun must end in time, however its bytes trickle in; without one, a client may
/// be idle for long.
void Client::watch_progress() {
  const bool begun = evbuffer_get_length(bufferevent_get_input(stream_.get())) > 0;
  if (unsent() > limits_.waiting_bytes) {  // it is our turn to wait: stalled_reader holds
    event_del(deadline_.get());
    in_line_ = false;
  } else if (begun != in_line_ || event_pending(deadline_.get(), EV_TIMEOUT, nullptr) == 0) {
    in_line_ = begun;
    const timeval time = to_timeval(begun ? limits_.half_line : limits_.idle);
    event_add(deadline_.get(), &time);
  }
}

size_t Client::unsent() const { return evbuffer_get_length(bufferevent_get_output(stream_.get())); }

void Client::on_read(bufferevent*, void* self) { static_cast<Client*>(self)->work(); }

void Client::on_drained(bufferevent*, void* self) { static_cast<Client*>(self)->work(); }

void Client::on_resume(evutil_socket_t, short, void* self) { static_cast<Client*>(self)->work(); }

void Client::on_event(bufferevent*, short what, void* self) {
  auto* client = static_cast<Client*>(self);
  if ((what & BEV_EVENT_EOF) != 0) {  // it may have shut down only its writing side
    client->ending_ = true;
    client->work();
  } else {
    client->host_.closed(*client);
  }
}

void Client::on_deadline(evutil_socket_t, short, void* self) {
  auto* client = static_cast<Client*>(self);
  client->host_.closed(*client);
}

}  // namespace wirelay::ctrl::api
