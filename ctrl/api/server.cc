// Accepting, whose turn it is, and who has to go when there are too many.
#include "ctrl/api/server.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/base/log_limiter.h"
#include "ctrl/base/now.h"

namespace wirelay::ctrl::api {

namespace {

using Clock = std::chrono::steady_clock;

constexpr timeval kAcceptPause{0, 100'000};
constexpr timeval kAtOnce{0, 0};

uint64_t read_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * kNsPerSecond + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t now_ns() { return read_ns(CLOCK_MONOTONIC); }

/// What the thread has worked, however busy the machine is.
uint64_t worked_ns() { return read_ns(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace

Server::Server(EventLoop& loop, RelayFace& relay, events::Log& events, ServerLimits limits)
    : loop_(loop),
      relay_(relay),
      events_(events),
      limits_(limits),
      pause_(evtimer_new(loop.base(), on_pause_over, this)),
      turn_(evtimer_new(loop.base(), on_turn, this)) {}

Server::~Server() = default;

Server::Guest::Guest(Entrance& by, evutil_socket_t fd)
    : entrance(by), client(by.desk, fd, caller_of(fd), by.server.limits_.client, by.server) {
  ++entrance.clients;
}

void Server::listen(const SocketFile& socket, Right right) {
  entrances_.push_back(Entrance{*this, socket, Desk{loop_, relay_, events_, right}, nullptr});
  Entrance& entrance = entrances_.back();
  entrance.accept.reset(
      event_new(loop_.base(), socket.fd(), EV_READ | EV_PERSIST, on_accept, &entrance));
  if (!entrance.accept || event_add(entrance.accept.get(), nullptr) != 0) {
    throw std::runtime_error("control socket " + socket.path() + ": libevent cannot listen");
  }
}

/// A few: whoever connects without end keeps others waiting no longer than that.
void Server::accept_some(Entrance& entrance) {
  for (unsigned i = 0; i < limits_.accepts; ++i) {
    const int fd = accept4(entrance.socket.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(entrance, fd);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return pause(entrance, errno);
    }
  }
}

void Server::admit(Entrance& entrance, evutil_socket_t fd) {
  if (entrance.clients >= limits_.clients && !make_room(entrance)) return refuse(fd);
  clients_.emplace_back(entrance, fd);
}

/// Closes the client that has been silent longest and waits for nothing; false when all do, or have
/// only just come.
bool Server::make_room(const Entrance& entrance) {
  const auto old_enough = Clock::now() - limits_.youth;
  const auto idle = std::ranges::find_if(clients_, [&](const Guest& guest) {
    return &guest.entrance == &entrance && guest.since <= old_enough && guest.client.can_go();
  });
  if (idle == clients_.end()) return false;
  closed(idle->client);
  return true;
}

void Server::refuse(evutil_socket_t fd) const {
  const std::string line =
      error_reply("null", kBusy,
                  "all " + std::to_string(limits_.clients) +
                      " connections have calls under way, or have just begun; try again") +
      '\n';
  ::send(fd, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close(fd);
}

/// Out of descriptors, most likely: without a pause the loop would do nothing but fail here.
void Server::pause(Entrance& entrance, int error) {
  log_limited(LogLevel::kWarning, "api.accept", "API: cannot accept a client: {}",
              std::generic_category().message(error));
  make_room(entrance);
  for (Entrance& each : entrances_) event_del(each.accept.get());
  event_add(pause_.get(), &kAcceptPause);
}

void Server::serve_next() {
  Turn* turn = turns_.next(now_ns());
  if (turn == nullptr) return;
  serving_ = turn->client;
  const uid_t user = turn->user;
  const uint64_t begin = worked_ns();
  serving_->work(Slice(limits_.client.slice));
  turns_.charge(user, worked_ns() - begin);
  serving_ = nullptr;
  if (!turns_.empty()) event_add(turn_.get(), &kAtOnce);
}

void Server::ready(Client& client) {
  turns_.want(client.turn(), now_ns());
  // Adding it once more would put it off.
  if (event_pending(turn_.get(), EV_TIMEOUT, nullptr) == 0) event_add(turn_.get(), &kAtOnce);
}

void Server::used(Client& client) {
  const auto at = std::ranges::find(clients_, &client, [](Guest& guest) { return &guest.client; });
  clients_.splice(clients_.end(), clients_, at);
}

void Server::closed(Client& client) {
  turns_.forget(client.turn());
  if (serving_ == &client) serving_ = nullptr;
  const auto at = std::ranges::find(clients_, &client, [](Guest& guest) { return &guest.client; });
  clients_.erase(at);
}

void Server::on_accept(evutil_socket_t, short, void* entrance) {
  auto& at = *static_cast<Entrance*>(entrance);
  at.server.accept_some(at);
}

void Server::on_pause_over(evutil_socket_t, short, void* self) {
  for (Entrance& each : static_cast<Server*>(self)->entrances_) {
    event_add(each.accept.get(), nullptr);
  }
}

void Server::on_turn(evutil_socket_t, short, void* self) {
  static_cast<Server*>(self)->serve_next();
}

}  // namespace wirelay::ctrl::api
