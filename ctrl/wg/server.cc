// Accepting: the socket is for those who may do all, and there are few of them.
#include "ctrl/wg/server.h"

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/base/log_limiter.h"

namespace wirelay::ctrl::wg {

namespace {

constexpr size_t kMostConnections = 32;
constexpr timeval kPause{0, 100'000};

}  // namespace

std::string socket_of(const std::string& interface) {
  return "/var/run/wireguard/" + interface + ".sock";
}

Server::Server(EventLoop& loop, RelayFace& relay, const api::SocketFile& socket, Device device)
    : office_{loop, relay, std::move(device)},
      socket_(socket),
      accept_(event_new(loop.base(), socket.fd(), EV_READ | EV_PERSIST, on_accept, this)),
      pause_(evtimer_new(loop.base(), on_pause_over, this)) {
  if (!accept_ || !pause_ || event_add(accept_.get(), nullptr) != 0) {
    throw std::runtime_error(socket.path() + ": libevent cannot listen");
  }
}

void Server::accept_one() {
  const int fd = accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)) return;
  if (fd < 0) return pause(errno);
  if (connections_.size() >= kMostConnections) {
    close(fd);
    return;
  }
  connections_.push_back(
      std::make_shared<Connection>(office_, fd, api::caller_of(fd), [this](Connection& ended) {
        std::erase_if(connections_, [&](const auto& one) { return one.get() == &ended; });
      }));
}

/// Out of descriptors, most likely: without a pause the loop would do nothing but fail here.
void Server::pause(int error) {
  log_limited(LogLevel::kWarning, "wg.accept", "wg: cannot accept a client: {}",
              std::generic_category().message(error));
  event_del(accept_.get());
  event_add(pause_.get(), &kPause);
}

void Server::on_pause_over(evutil_socket_t, short, void* self) {
  event_add(static_cast<Server*>(self)->accept_.get(), nullptr);
}

void Server::on_accept(evutil_socket_t, short, void* self) {
  static_cast<Server*>(self)->accept_one();
}

}  // namespace wirelay::ctrl::wg
