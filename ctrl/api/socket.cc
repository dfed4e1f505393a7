// Unix stream sockets: bind, who else is there, permissions.
#include "ctrl/api/socket.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace wirelay::ctrl::api {

namespace {

/// Of clients that come while others are served. Beyond that, one that does not block is told to
/// try again (EAGAIN).
constexpr int kBacklog = 1024;
constexpr mode_t kMode = 0660;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error("control socket " + path + ": " + what);
}

[[noreturn]] void fail_errno(const std::string& path, const std::string& what) {
  fail(path, what + ": " + std::generic_category().message(errno));
}

int new_socket(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail_errno(path, "cannot make a socket");
  return fd;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    fail(path, "the path must have 1 to " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

void make_directory(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) fail(path, "cannot make directory " + directory.string() + ": " + error.message());
}

/// Takes a stale socket away. Whoever answers, or is too busy to, is alive.
void clear_way(const std::string& path, const sockaddr_un& address) {
  struct stat file;
  if (lstat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return;
    fail_errno(path, "cannot look at it");
  }
  if (!S_ISSOCK(file.st_mode)) fail(path, "there is a file of that name that is no socket");
  const int probe = new_socket(path);
  const int result = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = result == 0 ? 0 : errno;
  close(probe);
  if (error != ECONNREFUSED && error != ENOENT) {
    fail(path, "another relay serves it; stop that one, or give this one another control_socket");
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) fail_errno(path, "cannot replace it");
}

}  // namespace

SocketFile::SocketFile(std::string path, std::optional<gid_t> group) : path_(std::move(path)) {
  const sockaddr_un address = address_of(path_);
  make_directory(path_);
  clear_way(path_, address);
  fd_ = new_socket(path_);
  try {
    // Nobody can connect before listen(), so the mode is right from the first client on.
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      fail_errno(path_, "cannot bind");
    }
    if (group && chown(path_.c_str(), static_cast<uid_t>(-1), *group) != 0) {
      fail_errno(path_, "cannot give it to group " + std::to_string(*group) +
                            " (that needs CAP_CHOWN, or to be one of the group)");
    }
    if (chmod(path_.c_str(), kMode) != 0) fail_errno(path_, "cannot set its mode");
    struct stat file;
    if (lstat(path_.c_str(), &file) != 0) fail_errno(path_, "cannot look at it");
    device_ = file.st_dev;
    inode_ = file.st_ino;
    if (listen(fd_, kBacklog) != 0) fail_errno(path_, "cannot listen");
  } catch (...) {
    close(fd_);
    throw;
  }
}

Caller caller_of(int fd) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);  // never fails for a Unix socket
  return {peer.uid, peer.gid, peer.pid};
}

SocketFile::~SocketFile() {
  close(fd_);
  struct stat file;
  if (lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_) {
    unlink(path_.c_str());
  }
}

}  // namespace wirelay::ctrl::api
