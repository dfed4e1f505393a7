// The TCP socket that HTTP is served on, made before the relay takes anything that another one may
// have.
#pragma once

#include "dataplane/ip.h"

namespace wirelay::ctrl::http {

class ListenSocket {
 public:
  /// Listens at `address`; port 0: at one that is free. Throws Refused about "http.listen".
  explicit ListenSocket(const dataplane::Endpoint& address);
  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  /// Non-blocking, close-on-exec; closed by this object.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// In host order.
  [[nodiscard]] uint16_t port() const;

 private:
  int fd_;
};

}  // namespace wirelay::ctrl::http
