// A umask, and sockets whose server has gone.
#include "ctrl/base/memif_sockets.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace wirelay::ctrl {

namespace {

/// Whether there is a socket at `path` that refuses everybody.
bool is_stale(const std::string& path) {
  struct stat info {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  if (path.size() >= sizeof address.sun_path) return false;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool refused =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  close(probe);
  return refused;
}

}  // namespace

MemifSockets::MemifSockets(std::span<const Device> devices) {
  for (const Device& device : devices) {
    const auto path = device.served_socket();
    if (!path) continue;
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(*path).parent_path(), ignored);
    if (is_stale(*path)) unlink(path->c_str());
    paths_.push_back(*path);
  }
  umask_before_ = umask(S_IRWXG | S_IRWXO);
}

MemifSockets::~MemifSockets() {
  umask(umask_before_);
  for (const std::string& path : paths_) chmod(path.c_str(), S_IRUSR | S_IWUSR);
}

}  // namespace wirelay::ctrl
