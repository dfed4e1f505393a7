// The API's server: JSON-RPC 2.0 over Unix stream sockets, on a loop and thread of its own.
#pragma once

#include <chrono>
#include <list>

#include "ctrl/api/client.h"
#include "ctrl/api/socket.h"
#include "ctrl/api/turns.h"

namespace wirelay::ctrl::api {

struct ServerLimits {
  ClientLimits client;
  size_t clients = 256;  // of each socket; above, one that waits for nothing makes room
  unsigned accepts = 8;  // in one turn of the loop
  std::chrono::milliseconds youth{1000};  // in which a client makes no room for others
};

/// All on the loop's thread but for its beginning and end, when the loop does not run.
class Server : public ClientHost {
 public:
  /// `loop` outlives the server, and whatever still answers to it.
  Server(EventLoop& loop, RelayFace& relay, events::Log& events, ServerLimits limits = {});
  ~Server() override;

  /// Serves `socket`, which outlives the server, when the loop runs. Throws std::runtime_error.
  void listen(const SocketFile& socket, Right right);

  [[nodiscard]] size_t clients() const noexcept { return clients_.size(); }

 private:
  /// A socket, and who came by it.
  struct Entrance {
    Server& server;
    const SocketFile& socket;
    const Desk desk;
    EventPtr accept;
    size_t clients = 0;
  };
  struct Guest {
    Guest(Entrance& by, evutil_socket_t fd);
    ~Guest() { --entrance.clients; }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
    Entrance& entrance;
    const std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    Client client;
  };

  void accept_some(Entrance& entrance);
  void admit(Entrance& entrance, evutil_socket_t fd);
  bool make_room(const Entrance& entrance);
  void refuse(evutil_socket_t fd) const;
  void pause(Entrance& entrance, int error);
  void serve_next();
  void ready(Client& client) override;
  void used(Client& client) override;
  void closed(Client& client) override;
  static void on_accept(evutil_socket_t fd, short, void* entrance);
  static void on_pause_over(evutil_socket_t, short, void* self);
  static void on_turn(evutil_socket_t, short, void* self);

  EventLoop& loop_;
  RelayFace& relay_;
  events::Log& events_;
  const ServerLimits limits_;
  EventPtr pause_, turn_;
  Turns turns_;
  Client* serving_ = nullptr;  // null again when it was closed meanwhile
  std::list<Entrance> entrances_;
  std::list<Guest> clients_;  // in the order of their last use
};

}  // namespace wirelay::ctrl::api
