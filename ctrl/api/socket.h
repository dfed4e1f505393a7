// The control socket as a file: made so that only its owner and group may use it, never taken from
// a relay that still lives, never left behind.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "ctrl/users/change.h"

namespace wirelay::ctrl::api {

/// Who is at the other end of a Unix socket.
Caller caller_of(int fd) noexcept;

class SocketFile {
 public:
  /// Makes the directory when it is missing, replaces a socket that nobody serves, listens with
  /// mode 0660; without a group, that of the process. Throws std::runtime_error with one line: what
  /// is in the way and what to do.
  explicit SocketFile(std::string path, std::optional<gid_t> group = std::nullopt);
  /// Removes the file, unless another has taken its place.
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  /// Listening, non-blocking, close-on-exec; closed by this object.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace wirelay::ctrl::api
