// Writes that never wait, and one poll() that does.
#include "ctrl/base/log_writer.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/base/every_thread_signal.h"

namespace wirelay::ctrl {

namespace {

/// A descriptor for where `fd` leads. Of a pipe or a terminal one that does not block: opened anew,
/// for that flag would else be everybody's who shares `fd`. Where that is refused, poll() and
/// short writes do nearly as well: they wait only when another process takes the room between them.
int duplicate(int fd) {
  struct stat info {};
  if (fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode))) {
    const std::string name = "/proc/self/fd/" + std::to_string(fd);
    const int own = open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) return own;
  }
  return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

bool is_socket(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

/// So much of `text` as a pipe takes at once or not at all, up to the end of a line.
std::string_view piece_of(std::string_view text) {
  if (text.size() <= PIPE_BUF) return text;
  const size_t end = text.rfind('\n', PIPE_BUF - 1);
  return text.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

}  // namespace

LogWriter::LogWriter(int fd, LostText lost_text)
    : out_(duplicate(fd)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      socket_(is_socket(out_)),
      lost_text_(std::move(lost_text)) {
  if (out_ < 0 || wake_ < 0) throw std::runtime_error("no descriptor is left for the log");
  waiting_.reserve(kMostBytes);
  batch_.reserve(kMostBytes);
  // No signal is this thread's, SIGPIPE included (a write tells), but the one that is each thread's.
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, every_thread_signal());
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() {
  finish({});
  thread_.join();
  close(out_);
  close(wake_);
}

void LogWriter::wake() const noexcept { eventfd_write(wake_, 1); }

void LogWriter::add(std::string_view line) noexcept {
  const std::lock_guard lock(mutex_);
  if (lost_ > 0 || line.size() > kMostBytes - waiting_.size()) {
    ++lost_;  // and those behind it, short as they may be: what is left out is in one place
    return;
  }
  if (waiting_.empty()) wake();
  waiting_.append(line);
}

void LogWriter::finish(std::chrono::milliseconds most) noexcept {
  std::unique_lock lock(mutex_);
  if (!ending_) {
    ending_ = true;
    deadline_ = Clock::now() + most;
    wake();
  }
  end_.wait_until(lock, deadline_ + std::chrono::milliseconds(20), [this] { return ended_; });
}

void LogWriter::run() noexcept {
  for (;;) {
    const bool more = take();
    if (at_end(more)) break;
    if (wait(more)) write_some();
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  end_.notify_all();
}

bool LogWriter::take() {
  if (written_ < batch_.size()) return true;
  batch_.clear();
  written_ = 0;
  uint64_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    batch_.swap(waiting_);
    std::swap(lost, lost_);
  }
  if (lost > 0) batch_ += lost_text_(lost);
  return !batch_.empty();
}

bool LogWriter::at_end(bool more) {
  const std::lock_guard lock(mutex_);
  return ending_ && (!more || Clock::now() >= deadline_);
}

bool LogWriter::wait(bool more) {
  int timeout_ms = -1;
  {
    const std::lock_guard lock(mutex_);
    if (ending_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
      timeout_ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
    }
  }
  pollfd fds[] = {{wake_, POLLIN, 0}, {out_, POLLOUT, 0}};
  poll(fds, more ? 2 : 1, timeout_ms);
  eventfd_t woken;
  eventfd_read(wake_, &woken);
  return fds[1].revents != 0;
}

void LogWriter::write_some() {
  const std::string_view piece = piece_of(std::string_view(batch_).substr(written_));
  const ssize_t n = socket_ ? send(out_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                            : ::write(out_, piece.data(), piece.size());
  if (n >= 0) {
    written_ += static_cast<size_t>(n);
  } else if (errno != EAGAIN && errno != EINTR) {
    written_ = batch_.size();  // nobody will ever read it: a pipe without a reader, a full disk
  }
}

}  // namespace wirelay::ctrl
