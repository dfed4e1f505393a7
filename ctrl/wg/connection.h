// One connection of `wg`: requests one after the other, each answered whole before the next is
// read.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ctrl/api/event_handles.h"
#include "ctrl/host/event_loop.h"
#include "ctrl/relay_face.h"
#include "ctrl/wg/peer_pages.h"
#include "ctrl/wg/steps.h"

namespace wirelay::ctrl::wg {

/// What connections are served with; outlives them.
struct Office {
  EventLoop& loop;   // the API's
  RelayFace& relay;  // outlives the loop's last turn
  const Device device;
};

/// On the API's thread, and owned by a shared pointer: an answer that comes when it is gone is
/// dropped.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Takes the connection; `ended` is called once, when it is of no more use.
  Connection(const Office& office, evutil_socket_t fd, Caller caller,
             std::function<void(Connection& self)> ended);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

 private:
  void take_request();
  void end();
  void get();
  void send_page(const PeerPage& page);
  void set(std::string text);
  void send(const std::string& text);
  void end_request(int error);
  static void on_read(bufferevent*, void* self);
  static void on_drained(bufferevent*, void* self);
  static void on_event(bufferevent*, short what, void* self);

  const Office& office_;
  const Caller caller_;
  const std::function<void(Connection& self)> ended_;
  api::StreamPtr stream_;
  size_t searched_ = 0;   // bytes of input known to hold no end of a request
  bool busy_ = false;     // with a request
  bool listing_ = false;  // in a get, and the next page is not asked for yet
  std::string last_;      // the last peer that was sent
};

}  // namespace wirelay::ctrl::wg
