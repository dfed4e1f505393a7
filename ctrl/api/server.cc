// Accepting, and who has to go when there are too many.
#include "ctrl/api/server.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "ctrl/base/log_limiter.h"

namespace wirelay::ctrl::api {

namespace {

constexpr timeval kAcceptPause{0, 100'000};

}  // namespace

Server::Server(event_base* base, RelayFace& relay, const std::string& path, ServerLimits limits)
    : base_(base),
      relay_(relay),
      limits_(limits),
      socket_(path),
      listener_(evconnlistener_new(base, on_accept, this, LEV_OPT_CLOSE_ON_EXEC, 0, socket_.fd())),
      pause_(evtimer_new(base, on_pause_over, this)) {
  if (!listener_) throw std::runtime_error("control socket " + path + ": libevent cannot listen");
  evconnlistener_set_error_cb(listener_.get(), on_accept_error);
}

Server::~Server() = default;

void Server::accept(evutil_socket_t fd) {
  if (clients_.size() >= limits_.clients) clients_.pop_front();
  clients_.emplace_back(base_, fd, relay_, limits_.client, *this);
}

void Server::used(Client& client) {
  const auto at = std::ranges::find(clients_, &client, [](Client& c) { return &c; });
  clients_.splice(clients_.end(), clients_, at);
}

void Server::closed(Client& client) {
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
  if (!server->clients_.empty()) server->clients_.pop_front();
  evconnlistener_disable(listener);
  event_add(server->pause_.get(), &kAcceptPause);
}

void Server::on_pause_over(evutil_socket_t, short, void* self) {
  evconnlistener_enable(static_cast<Server*>(self)->listener_.get());
}

}  // namespace wirelay::ctrl::api
