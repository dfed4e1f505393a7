// A datagram socket, connected before the relay gives up what it no longer needs.
#include "ctrl/service/manager.h"

#include <charconv>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace wirelay::ctrl {

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

uint64_t number_in(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// A path, or "@" and a name that is in no file system; -1 when nobody listens there.
int connect_to_manager(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() > sizeof address.sun_path - 1) return -1;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(connect_to_manager(variable("NOTIFY_SOCKET"))) {
  const std::string_view process = variable("WATCHDOG_PID");
  if (!process.empty() && number_in(process) != static_cast<uint64_t>(getpid())) return;
  patience_ = std::chrono::microseconds(number_in(variable("WATCHDOG_USEC")));
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

void ServiceManager::tell(std::string_view state) const noexcept {
  if (socket_ < 0) return;
  [[maybe_unused]] const ssize_t ignored =
      send(socket_, state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace wirelay::ctrl
