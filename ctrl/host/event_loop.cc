// libevent behind functions.
#include "ctrl/host/event_loop.h"

#include <exception>
#include <stdexcept>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace wirelay::ctrl {

namespace {

timeval to_timeval(std::chrono::milliseconds delay) {
  return {static_cast<time_t>(delay.count() / 1000),
          static_cast<suseconds_t>(delay.count() % 1000 * 1000)};
}

}  // namespace

EventLoop::EventLoop() : base_(event_base_new()), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (base_ == nullptr || wake_ < 0) {
    release();
    throw std::runtime_error("cannot make an event loop");
  }
  const auto serve = [this] {
    run_posted();
    return std::chrono::milliseconds(0);
  };
  try {
    event_add(add(wake_, EV_READ | EV_PERSIST, serve, false).handle, nullptr);
  } catch (...) {
    release();
    throw;
  }
}

EventLoop::~EventLoop() { release(); }

void EventLoop::release() noexcept {
  for (const auto& handler : handlers_) event_free(handler->handle);
  if (base_ != nullptr) event_base_free(base_);
  if (wake_ >= 0) close(wake_);
}

EventLoop::Handler& EventLoop::add(int fd, short what,
                                   std::function<std::chrono::milliseconds()> act, bool repeats) {
  handlers_.push_back(std::make_unique<Handler>(Handler{this, nullptr, std::move(act), repeats}));
  Handler& handler = *handlers_.back();
  handler.handle = event_new(base_, fd, what, &EventLoop::on_event, &handler);
  if (handler.handle == nullptr) {
    handlers_.pop_back();
    throw std::runtime_error("cannot make an event");
  }
  return handler;
}

void EventLoop::on_signal(int signal, std::function<void()> act) {
  const auto run = [act = std::move(act)] {
    act();
    return std::chrono::milliseconds(0);
  };
  event_add(add(signal, EV_SIGNAL | EV_PERSIST, run, false).handle, nullptr);
}

void EventLoop::repeat(std::function<std::chrono::milliseconds()> act) {
  const timeval soon{};
  event_add(add(-1, 0, std::move(act), true).handle, &soon);
}

void EventLoop::post(std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(act));
  // The counter cannot overflow: it is read to zero long before 2^64 posts.
  if (posted_.size() == 1) eventfd_write(wake_, 1);
}

void EventLoop::run_posted() {
  eventfd_t unused = 0;
  eventfd_read(wake_, &unused);
  std::vector<std::function<void()>> acts;
  {
    const std::lock_guard lock(mutex_);
    acts.swap(posted_);
  }
  for (const auto& act : acts) act();
  // Not by a timer without delay: for one that is due by now it would be a delay, without end while
  // others post.
  for (const auto& handler : handlers_) {
    if (handler->repeats) event_active(handler->handle, EV_TIMEOUT, 0);
  }
}

void EventLoop::run() {
  event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void EventLoop::on_event(evutil_socket_t, short, void* handler) {
  auto& self = *static_cast<Handler*>(handler);
  try {
    const timeval delay = to_timeval(self.act());
    if (self.repeats) event_add(self.handle, &delay);
  } catch (...) {
    self.loop->error_ = std::current_exception();
    self.loop->stop();
  }
}

}  // namespace wirelay::ctrl
