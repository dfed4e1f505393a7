// Accepting: the socket is for those who may do all, and there are few of them.
#include "ctrl/wg/server.h"

#include <stdexcept>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace wirelay::ctrl::wg {

namespace {

constexpr size_t kMostConnections = 32;

Caller caller_of(evutil_socket_t fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return {peer.uid, peer.gid, peer.pid};
}

}  // namespace

std::string socket_of(const std::string& interface) {
  return "/var/run/wireguard/" + interface + ".sock";
}

Server::Server(EventLoop& loop, RelayFace& relay, const api::SocketFile& socket, Device device)
    : office_{loop, relay, std::move(device)},
      socket_(socket),
      accept_(event_new(loop.base(), socket.fd(), EV_READ | EV_PERSIST, on_accept, this)) {
  if (!accept_ || event_add(accept_.get(), nullptr) != 0) {
    throw std::runtime_error(socket.path() + ": libevent cannot listen");
  }
}

void Server::accept_one() {
  const int fd = accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (connections_.size() >= kMostConnections) {
    close(fd);
    return;
  }
  connections_.push_back(
      std::make_shared<Connection>(office_, fd, caller_of(fd), [this](Connection& ended) {
        std::erase_if(connections_, [&](const auto& one) { return one.get() == &ended; });
      }));
}

void Server::on_accept(evutil_socket_t, short, void* self) {
  static_cast<Server*>(self)->accept_one();
}

}  // namespace wirelay::ctrl::wg
