// libevent behind functions.
#include "ctrl/host/event_loop.h"

#include <algorithm>
#include <array>
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
  const auto run = [this, act = std::move(act)] {
    act();
    meter_.mark("signals");
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
  std::array<std::function<void()>, kPostsAtOnce> acts;
  {
    const std::lock_guard lock(mutex_);
    const size_t count = std::min(posted_.size(), acts.size());
    std::move(posted_.begin(), posted_.begin() + static_cast<ptrdiff_t>(count), acts.begin());
    posted_.erase(posted_.begin(), posted_.begin() + static_cast<ptrdiff_t>(count));
    if (!posted_.empty()) eventfd_write(wake_, 1);
  }
  for (auto& act : acts) {
    if (act) std::exchange(act, nullptr)();
  }
  meter_.mark("posts");
  // Not with a timer of no delay: for one that is due by now that would be a delay, without end
  // while others post.
  for (const auto& handler : handlers_) {
    if (handler->repeats) event_active(handler->handle, EV_TIMEOUT, 0);
  }
}

void EventLoop::run() {
  stopped_ = false;
  meter_.start();
  while (!stopped_) {
    if (event_base_loop(base_, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) < 0) {
      throw std::runtime_error("the event loop cannot wait for events");
    }
    meter_.end();
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void EventLoop::stop() noexcept {
  stopped_ = true;
  event_base_loopbreak(base_);
}

void EventLoop::on_event(evutil_socket_t, short, void* handler) {
  auto& self = *static_cast<Handler*>(handler);
  self.loop->meter_.begin();
  try {
    const timeval delay = to_timeval(self.act());
    if (self.repeats) event_add(self.handle, &delay);
  } catch (...) {
    self.loop->error_ = std::current_exception();
    self.loop->stop();
  }
}

}  // namespace wirelay::ctrl
