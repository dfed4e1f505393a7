// Accepting, whose turn it is, and who has to go when there are too many.
#include "ctrl/api/server.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/base/log_limiter.h"

namespace wirelay::ctrl::api {

namespace {

constexpr timeval kAcceptPause{0, 100'000};
constexpr timeval kAtOnce{0, 0};

/// What the thread has worked, however busy the machine is.
uint64_t worked_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

Caller caller_of(evutil_socket_t fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);  // never fails for a Unix socket
  return {peer.uid, peer.gid, peer.pid};
}

}  // namespace

Server::Server(const Desk& desk, const SocketFile& socket, ServerLimits limits)
    : desk_(desk),
      limits_(limits),
      listener_(evconnlistener_new(desk.loop.base(), on_accept, this, LEV_OPT_CLOSE_ON_EXEC, 0,
                                   socket.fd())),
      pause_(evtimer_new(desk.loop.base(), on_pause_over, this)),
      turn_(evtimer_new(desk.loop.base(), on_turn, this)) {
  if (!listener_) {
    throw std::runtime_error("control socket " + socket.path() + ": libevent cannot listen");
  }
  evconnlistener_set_error_cb(listener_.get(), on_accept_error);
}

Server::~Server() = default;

void Server::accept(evutil_socket_t fd) {
  if (clients_.size() >= limits_.clients && !make_room()) return refuse(fd);
  clients_.emplace_back(desk_, fd, caller_of(fd), limits_.client, *this);
}

/// Closes the client that has been silent longest and waits for nothing; false when all do.
bool Server::make_room() {
  const auto idle = std::ranges::find_if(clients_, [](const Client& c) { return !c.busy(); });
  if (idle == clients_.end()) return false;
  closed(*idle);
  return true;
}

void Server::refuse(evutil_socket_t fd) const {
  const std::string line = error_reply("null", kBusy,
                                       "all " + std::to_string(limits_.clients) +
                                           " connections have calls under way; try again") +
                           '\n';
  ::send(fd, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close(fd);
}

void Server::serve_next() {
  Turn* turn = turns_.next();
  if (turn == nullptr) return;
  serving_ = turn->client;
  const uint64_t begin = worked_ns();
  serving_->work(Slice(limits_.client.slice));
  if (serving_ != nullptr) turn->used_ns += worked_ns() - begin;
  serving_ = nullptr;
  if (!turns_.empty()) event_add(turn_.get(), &kAtOnce);
}

void Server::ready(Client& client) {
  turns_.want(client.turn());
  // Adding it once more would put it off.
  if (event_pending(turn_.get(), EV_TIMEOUT, nullptr) == 0) event_add(turn_.get(), &kAtOnce);
}

void Server::used(Client& client) {
  const auto at = std::ranges::find(clients_, &client, [](Client& c) { return &c; });
  clients_.splice(clients_.end(), clients_, at);
}

void Server::closed(Client& client) {
  turns_.forget(client.turn());
  if (serving_ == &client) serving_ = nullptr;
  clients_.remove_if([&](const Client& c) { return &c == &client; });
}

void Server::on_accept(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* self) {
  static_cast<Server*>(self)->accept(fd);
}

/// Out of descriptors, most likely: without a pause the loop would do nothing but fail here.
void Server::on_accept_error(evconnlistener* listener, void* self) {
  const int error = errno;
  log_limited(LogLevel::kWarning, "api.accept", "API: cannot accept a client: {}",
              std::generic_category().message(error));
  auto* server = static_cast<Server*>(self);
  server->make_room();
  evconnlistener_disable(listener);
  event_add(server->pause_.get(), &kAcceptPause);
}

void Server::on_pause_over(evutil_socket_t, short, void* self) {
  evconnlistener_enable(static_cast<Server*>(self)->listener_.get());
}

void Server::on_turn(evutil_socket_t, short, void* self) {
  static_cast<Server*>(self)->serve_next();
}

}  // namespace wirelay::ctrl::api
