// The socket of WireGuard's userspace interface, so that `wg` shows and sets what the relay has.
#pragma once

#include <list>
#include <memory>

#include "ctrl/api/event_handles.h"
#include "ctrl/api/socket.h"
#include "ctrl/wg/connection.h"

namespace wirelay::ctrl::wg {

/// Where `wg` looks for the socket of an interface.
std::string socket_of(const std::string& interface);

/// All on the API's thread but for its beginning and end, when the loop does not run.
class Server {
 public:
  /// All but `device` outlive the server, and `loop` what still answers to it. Throws
  /// std::runtime_error.
  Server(EventLoop& loop, RelayFace& relay, const api::SocketFile& socket, Device device);

 private:
  void accept_one();
  void pause(int error);
  static void on_accept(evutil_socket_t, short, void* self);
  static void on_pause_over(evutil_socket_t, short, void* self);

  const Office office_;
  const api::SocketFile& socket_;
  std::list<std::shared_ptr<Connection>> connections_;
  api::EventPtr accept_, pause_;
};

}  // namespace wirelay::ctrl::wg
