// The API's server: JSON-RPC 2.0 over a Unix stream socket, on a loop and thread of its own.
#pragma once

#include <list>

#include "ctrl/api/client.h"
#include "ctrl/api/socket.h"
#include "ctrl/api/turns.h"

namespace wirelay::ctrl::api {

struct ServerLimits {
  ClientLimits client;
  size_t clients = 256;  // above, the one that has been silent longest makes room
};

/// All on the loop's thread but for its beginning and end, when the loop does not run.
class Server : public ClientHost {
 public:
  /// Serves when `loop` runs. Throws std::runtime_error with one line of what is in the way. All of
  /// these outlive the server, and `loop` whatever still answers to it.
  Server(const Desk& desk, const SocketFile& socket, ServerLimits limits = {});
  ~Server() override;

  [[nodiscard]] size_t clients() const noexcept { return clients_.size(); }

 private:
  void accept(evutil_socket_t fd);
  bool make_room();
  void refuse(evutil_socket_t fd) const;
  void serve_next();
  void ready(Client& client) override;
  void used(Client& client) override;
  void closed(Client& client) override;
  static void on_accept(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* self);
  static void on_accept_error(evconnlistener*, void* self);
  static void on_pause_over(evutil_socket_t, short, void* self);
  static void on_turn(evutil_socket_t, short, void* self);

  const Desk desk_;
  const ServerLimits limits_;
  ListenerPtr listener_;
  EventPtr pause_, turn_;
  Turns turns_;
  Client* serving_ = nullptr;  // null again when it was closed meanwhile
  std::list<Client> clients_;  // in the order of their last use
};

}  // namespace wirelay::ctrl::api
