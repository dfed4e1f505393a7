// One thread, one client at a time.
#include "tests/support/scripted_relay.h"

#include <stdexcept>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace wirelay::test {

ScriptedRelay::ScriptedRelay(std::string socket_path, std::string text)
    : path_(std::move(socket_path)),
      text_(std::move(text)),
      fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd_, 1) != 0) {
    throw std::runtime_error("cannot listen at " + path_);
  }
  thread_ = std::jthread([this] { serve(); });
}

ScriptedRelay::~ScriptedRelay() {
  shutdown(fd_, SHUT_RDWR);  // ends accept()
  thread_.join();
  close(fd_);
}

void ScriptedRelay::say(std::string text) {
  const std::scoped_lock lock(mutex_);
  text_ = std::move(text);
}

void ScriptedRelay::serve() {
  for (;;) {
    const int client = accept(fd_, nullptr, nullptr);
    if (client < 0) return;
    std::string text;
    {
      const std::scoped_lock lock(mutex_);
      text = text_;
    }
    static_cast<void>(send(client, text.data(), text.size(), MSG_NOSIGNAL));
    shutdown(client, SHUT_WR);
    char asked[4096];
    while (read(client, asked, sizeof asked) > 0) continue;
    close(client);
  }
}

}  // namespace wirelay::test
