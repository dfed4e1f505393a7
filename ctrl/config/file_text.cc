// One buffer, which is never moved: nothing of it stays behind elsewhere.
#include "ctrl/config/file_text.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/keys.h"
#include "ctrl/base/problem.h"

namespace wirelay::ctrl {

namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& file)
      : fd_(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void refuse_errno(const std::string& file) {
  throw Refused(file, fmt::format("cannot be read: {}", std::strerror(errno)));
}

/// Its size, when it is a file that can be read whole.
size_t size_of(int fd, const std::string& file, size_t most) {
  struct stat info {};
  if (fd < 0 || fstat(fd, &info) != 0) refuse_errno(file);
  if (S_ISDIR(info.st_mode)) throw Refused(file, "is a directory, not a file");
  if (!S_ISREG(info.st_mode)) {
    throw Refused(file, "is a pipe or a device, expected a regular file: it is read again later");
  }
  const auto size = static_cast<size_t>(info.st_size);
  if (size > most) throw Refused(file, fmt::format("is larger than {} bytes", most));
  return size;
}

}  // namespace

FileText::FileText(const std::string& file, size_t most) {
  const Descriptor fd(file);
  const size_t size = size_of(fd.get(), file, most);
  text_.resize(size + 1);  // one more than there should be: the end is seen
  size_t taken = 0;
  while (taken <= size) {
    const ssize_t n = read(fd.get(), text_.data() + taken, text_.size() - taken);
    if (n < 0 && errno != EINTR) refuse_errno(file);
    if (n == 0) break;
    if (n > 0) taken += static_cast<size_t>(n);
  }
  if (taken != size) throw Refused(file, "was written to while it was read; try again");
  text_.resize(size);
}

FileText::~FileText() { crypto::wipe(text_.data(), text_.size()); }

}  // namespace wirelay::ctrl
