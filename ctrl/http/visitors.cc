// A connection that is sent away sees its socket shut down; libevent's server then frees it as it
// does when the client has closed it.
#include "ctrl/http/visitors.h"

#include <algorithm>

#include <sys/socket.h>

namespace wirelay::ctrl::http {

namespace {

/// The server takes its callbacks away when it frees a connection.
bool is_gone(bufferevent* stream) {
  bufferevent_data_cb on_read = nullptr;
  bufferevent_event_cb on_event = nullptr;
  bufferevent_getcb(stream, &on_read, nullptr, &on_event, nullptr);
  return on_read == nullptr && on_event == nullptr;
}

void send_away(bufferevent* stream) { shutdown(bufferevent_getfd(stream), SHUT_RDWR); }

}  // namespace

Visitors::~Visitors() {
  for (const Visitor& visitor : here_) bufferevent_decref(visitor.stream);
}

bufferevent* Visitors::admit(event_base* base) {
  // The socket closes with the stream's last holder: were it closed before, the next connection
  // could get its number while events of this one are still entered under it.
  bufferevent* stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
  if (stream == nullptr) return nullptr;
  here_.push_back({stream, Clock::now()});
  bufferevent_incref(stream);
  return stream;
}

void Visitors::asked(const bufferevent* visitor) { note(visitor, true); }

void Visitors::answered(const bufferevent* visitor) { note(visitor, false); }

void Visitors::note(const bufferevent* stream, bool waits) {
  const auto found = std::ranges::find(here_, stream, &Visitor::stream);
  if (found == here_.end()) return;
  found->waits = waits;
  found->since = Clock::now();
  here_.splice(here_.end(), here_, found);
}

void Visitors::forget_gone() {
  std::erase_if(here_, [](const Visitor& visitor) {
    if (!is_gone(visitor.stream)) return false;
    bufferevent_decref(visitor.stream);
    return true;
  });
}

void Visitors::sweep() {
  forget_gone();
  const auto now = Clock::now();
  bool no_room = full();
  for (const Visitor& visitor : here_) {
    if (visitor.waits) continue;
    const auto here_for = now - visitor.since;
    if (here_for < limits_.stay && !(no_room && here_for >= limits_.youth)) continue;
    send_away(visitor.stream);
    no_room = false;
  }
}

}  // namespace wirelay::ctrl::http
