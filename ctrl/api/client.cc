// A connection on a libevent stream.
#include "ctrl/api/client.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <event2/buffer.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "crypto/keys.h"

namespace wirelay::ctrl::api {

namespace {

/// About what reading a byte of a request costs, and rather more: who sends much, waits.
constexpr uint64_t kNsPerByte = 40;

/// Takes the first bytes of a buffer away, of which nothing stays behind: keys may be among them.
void wipe_out(evbuffer* buffer, size_t bytes) {
  const auto wanted = static_cast<ev_ssize_t>(bytes);
  std::vector<evbuffer_iovec> parts(
      static_cast<size_t>(evbuffer_peek(buffer, wanted, nullptr, nullptr, 0)));
  evbuffer_peek(buffer, wanted, nullptr, parts.data(), static_cast<int>(parts.size()));
  size_t left = bytes;  // the last part may hold more
  for (const evbuffer_iovec& part : parts) {
    const size_t size = std::min(left, part.iov_len);
    crypto::wipe(part.iov_base, size);
    left -= size;
  }
  evbuffer_drain(buffer, bytes);
}

/// Between looks whether a client that waits is still there.
constexpr std::chrono::milliseconds kLook(250);

bool blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

}  // namespace

Client::Client(const Desk& desk, evutil_socket_t fd, Caller caller, const ClientLimits& limits,
               ClientHost& host)
    : desk_(desk),
      caller_(caller),
      limits_(limits),
      host_(host),
      stream_(bufferevent_socket_new(desk.loop.base(), fd, BEV_OPT_CLOSE_ON_FREE)),
      deadline_(evtimer_new(desk.loop.base(), on_deadline, this)),
      turn_{.client = this, .user = caller.uid} {
  bufferevent_setcb(stream_.get(), on_read, on_drained, on_event, this);
  const timeval stalled = to_timeval(limits.stalled_reader);
  bufferevent_set_timeouts(stream_.get(), nullptr, &stalled);
  bufferevent_enable(stream_.get(), EV_READ | EV_WRITE);
  watch_progress();
}

Client::~Client() { drop_input(); }

/// Requests that are not read may hold keys, too.
void Client::drop_input() {
  evbuffer* input = bufferevent_get_input(stream_.get());
  wipe_out(input, evbuffer_get_length(input));
}

void Client::work(const Slice& slice) {
  while (can_go_on()) {
    if (!exchange_ && gone()) return host_.closed(*this);
    step();
    if (slice.over()) break;
  }
  review();
}

bool Client::can_go() const {
  if (exchange_ || reader_) return false;
  if (unsent() > limits_.waiting_bytes) return true;
  int unread = 0;
  ioctl(bufferevent_getfd(stream_.get()), FIONREAD, &unread);
  return !line_bytes_ && unread == 0;
}

bool Client::can_go_on() const {
  if (exchange_) return !exchange_->waiting();
  return (line_bytes_ && unsent() <= limits_.waiting_bytes) || may_tell();
}

bool Client::may_tell() const {
  return reader_ && reader_->behind() && unsent() <= limits_.waiting_event_bytes;
}

void Client::step() {
  if (!busy()) return tell_events();
  answer();
  find_line();
}

void Client::answer() {
  if (exchange_) {
    exchange_->step();
  } else {
    std::string line = take_line();
    host_.used(*this);
    if (!blank(line)) {
      exchange_ =
          std::make_shared<Exchange>(desk_, line, limits_.exchange, caller_, [this] { review(); });
    }
    crypto::wipe(line.data(), line.size());  // keys may be in it
  }
  if (exchange_ && exchange_->done()) {
    send(exchange_->take_reply());
    subscribe();
    exchange_.reset();
  }
}

/// From here on it may take its time to read: what it does not read in time it loses.
void Client::subscribe() {
  auto request = exchange_->take_subscription();
  if (!request) return;
  reader_.reset();
  reader_ = std::make_unique<events::Reader>(desk_.events, std::move(request->filter),
                                             request->since, [this] { review(); });
  bufferevent_set_timeouts(stream_.get(), nullptr, nullptr);
}

void Client::tell_events() {
  constexpr int kAtOnce = 16;
  for (int i = 0; i < kAtOnce && may_tell(); ++i) {
    if (const events::EventRef event = reader_->next()) send(event_line(*event));
  }
}

void Client::review() {
  find_line();
  if (can_go_on()) {
    turn_.next_ns = exchange_ ? exchange_->next_ns() : kNsPerByte * line_bytes_.value_or(0);
    host_.ready(*this);
  }
  if (ending_ && !busy() && !reader_ && unsent() == 0) {
    host_.closed(*this);
    return;
  }
  read_or_wait();
  watch_progress();
}

/// What comes behind a line waits in the socket until that line is answered. (A high watermark
/// would not do: libevent calls again and again while it is reached.)
void Client::read_or_wait() {
  if (busy() || ending_) {
    bufferevent_disable(stream_.get(), EV_READ);
  } else {
    bufferevent_enable(stream_.get(), EV_READ);
  }
}

void Client::find_line() {
  evbuffer* input = bufferevent_get_input(stream_.get());
  const size_t have = evbuffer_get_length(input);
  evbuffer_ptr from;
  if (busy() || have == 0 || evbuffer_ptr_set(input, &from, searched_, EVBUFFER_PTR_SET) != 0) {
    return;
  }
  const evbuffer_ptr newline = evbuffer_search_eol(input, &from, nullptr, EVBUFFER_EOL_LF);
  const size_t length = newline.pos >= 0 ? static_cast<size_t>(newline.pos) : have;
  if (length > limits_.exchange.message.line_bytes) {
    refuse_long_line();
  } else if (newline.pos >= 0) {
    line_bytes_ = length;
  } else if (ending_) {
    line_bytes_ = have;  // the last line needs no newline
  } else {
    searched_ = have;
  }
}

std::string Client::take_line() {
  evbuffer* input = bufferevent_get_input(stream_.get());
  std::string line(*line_bytes_, '\0');
  evbuffer_copyout(input, line.data(), line.size());
  wipe_out(input, line.size());
  evbuffer_drain(input, std::min<size_t>(evbuffer_get_length(input), 1));  // its newline, if any
  line_bytes_.reset();
  searched_ = 0;
  watch_ = Watch::kNone;  // the time between lines begins anew
  return line;
}

void Client::refuse_long_line() {
  drop_input();
  searched_ = 0;
  ending_ = true;
  send(too_long_reply(limits_.exchange.message));
}

void Client::send(const std::string& text) {
  if (!text.empty()) bufferevent_write(stream_.get(), text.data(), text.size());
}

/// A line that has begun must end in time, however its bytes trickle in; without one, a client may
/// be idle for long; and while it has to wait, somebody looks whether it is still there.
void Client::watch_progress() {
  if (!busy() && !reader_ && unsent() > limits_.waiting_bytes) {  // writing has a time of its own
    event_del(deadline_.get());
    watch_ = Watch::kNone;
    return;
  }
  const bool begun = evbuffer_get_length(bufferevent_get_input(stream_.get())) > 0;
  const Watch watch = busy() || (reader_ && !begun) ? Watch::kCaller
                      : begun                       ? Watch::kRest
                                                    : Watch::kLine;
  if (watch == watch_) return;
  watch_ = watch;
  const timeval time = to_timeval(watch == Watch::kCaller ? kLook
                                  : watch == Watch::kRest ? limits_.half_line
                                                          : limits_.idle);
  event_add(deadline_.get(), &time);
}

/// Nobody is there to be answered any more: what has not begun never will. A client that has shut
/// down only its writing side waits for its replies.
bool Client::gone() const {
  pollfd state{.fd = bufferevent_getfd(stream_.get()), .events = 0, .revents = 0};
  return poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

size_t Client::unsent() const { return evbuffer_get_length(bufferevent_get_output(stream_.get())); }

void Client::on_read(bufferevent*, void* self) { static_cast<Client*>(self)->review(); }

void Client::on_drained(bufferevent*, void* self) { static_cast<Client*>(self)->review(); }

void Client::on_event(bufferevent*, short what, void* self) {
  auto* client = static_cast<Client*>(self);
  if ((what & BEV_EVENT_EOF) != 0) {  // it may have shut down only its writing side
    client->ending_ = true;
    client->review();
  } else {
    client->host_.closed(*client);
  }
}

void Client::on_deadline(evutil_socket_t, short, void* self) {
  auto* client = static_cast<Client*>(self);
  const Watch watched = std::exchange(client->watch_, Watch::kNone);
  if (watched == Watch::kCaller && !client->gone()) {
    client->watch_progress();
  } else {
    client->host_.closed(*client);
  }
}

}  // namespace wirelay::ctrl::api
