// The API's server: JSON-RPC 2.0 over a Unix stream socket, on the control thread's event loop.
#pragma once

#include <list>
#include <string>

#include "ctrl/api/client.h"
#include "ctrl/api/socket.h"

namespace wirelay::ctrl::api {

struct ServerLimits {
  ClientLimits client;
  size_t clients = 256;  // above, the one that has been silent longest makes room
};

class Server : public ClientHost {
 public:
  /// Listens from now on. Throws std::runtime_error with one line of what is in the way. `base` and
  /// `relay` outlive the server.
  Server(event_base* base, RelayFace& relay, const std::string& path, ServerLimits limits = {});
  ~Server() override;

  [[nodiscard]] size_t clients() const noexcept { return clients_.size(); }

 private:
  void accept(evutil_socket_t fd);
  void used(Client& client) override;
  void closed(Client& client) override;
  static void on_accept(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* self);
  static void on_accept_error(evconnlistener*, void* self);
  static void on_pause_over(evutil_socket_t, short, void* self);

  event_base* base_;
  RelayFace& relay_;
  const ServerLimits limits_;
  SocketFile socket_;
  ListenerPtr listener_;
  EventPtr pause_;
  std::list<Client> clients_;  // in the order of their last use
};

}  // namespace wirelay::ctrl::api
