// Socket, bind, listen.
#include "ctrl/http/listen_socket.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/base/problem.h"

namespace wirelay::ctrl::http {

namespace {

constexpr int kBacklog = 64;

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Returns how many bytes of `to` it takes.
socklen_t fill(SocketAddress& to, const dataplane::Endpoint& address) {
  std::memset(&to, 0, sizeof to);
  const auto& bytes = address.addr.bytes;
  if (address.addr.is_v4()) {
    to.v4.sin_family = AF_INET;
    to.v4.sin_port = htons(address.port);
    std::memcpy(&to.v4.sin_addr, bytes.data() + 12, 4);
    return sizeof to.v4;
  }
  to.v6.sin6_family = AF_INET6;
  to.v6.sin6_port = htons(address.port);
  std::memcpy(&to.v6.sin6_addr, bytes.data(), 16);
  return sizeof to.v6;
}

bool listens(int fd, const dataplane::Endpoint& address) {
  SocketAddress at;
  const socklen_t size = fill(at, address);
  const int on = 1;
  return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
         bind(fd, &at.any, size) == 0 && listen(fd, kBacklog) == 0;
}

}  // namespace

ListenSocket::ListenSocket(const dataplane::Endpoint& address)
    : fd_(socket(address.addr.is_v4() ? AF_INET : AF_INET6,
                 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  if (fd_ >= 0 && listens(fd_, address)) return;
  const int error = errno;
  if (fd_ >= 0) close(fd_);
  throw Refused("http.listen",
                fmt::format("cannot listen at {}: {}; name another address, or "
                            "\"none\"",
                            to_string(address), std::system_category().message(error)));
}

ListenSocket::~ListenSocket() { close(fd_); }

uint16_t ListenSocket::port() const {
  SocketAddress at;
  socklen_t size = sizeof at;
  if (getsockname(fd_, &at.any, &size) != 0) return 0;
  return ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
}

}  // namespace wirelay::ctrl::http
