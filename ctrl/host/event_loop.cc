// libevent behind functions.
#include "ctrl/host/event_loop.h"

#include <exception>
#include <stdexcept>
#include <utility>

namespace wirelay::ctrl {

namespace {

timeval to_timeval(std::chrono::milliseconds delay) {
  return {static_cast<time_t>(delay.count() / 1000),
          static_cast<suseconds_t>(delay.count() % 1000 * 1000)};
}

}  // namespace

EventLoop::EventLoop() : base_(event_base_new()) {
  if (base_ == nullptr) throw std::runtime_error("cannot make an event loop");
}

EventLoop::~EventLoop() {
  for (const auto& handler : handlers_) event_free(handler->handle);
  event_base_free(base_);
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
