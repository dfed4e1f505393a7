// A stdio stream that DPDK writes into, and file descriptors borrowed while it starts.
#include "ctrl/host/eal_log.h"

#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include <rte_log.h>

#include "ctrl/base/log.h"

namespace wirelay::ctrl {

namespace {

constexpr size_t kMaxLines = 1000;

int redirect(int fd, const char* file) {
  const int saved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  const int other = open(file, O_WRONLY | O_CLOEXEC);
  if (saved < 0 || other < 0) throw std::runtime_error("cannot redirect standard output");
  dup2(other, fd);
  close(other);
  return saved;
}

void give_back(int& saved, int fd) {
  if (saved < 0) return;
  dup2(saved, fd);
  close(saved);
  saved = -1;
}

}  // namespace

EalLog::EalLog(bool verbose) : verbose_(verbose) {
  cookie_io_functions_t functions{};
  functions.write = &EalLog::on_write;
  stream_ = fopencookie(this, "w", functions);
  if (stream_ == nullptr) throw std::runtime_error("no memory for DPDK's log");
  setvbuf(stream_, nullptr, _IOLBF, 1024);
  rte_openlog_stream(stream_);
  if (verbose_) return;
  fflush(nullptr);
  saved_out_ = redirect(STDOUT_FILENO, "/dev/null");
  saved_err_ = redirect(STDERR_FILENO, "/dev/null");
}

EalLog::~EalLog() {
  started();
  rte_openlog_stream(nullptr);
  fclose(stream_);
}

void EalLog::started() {
  fflush(nullptr);
  give_back(saved_out_, STDOUT_FILENO);
  give_back(saved_err_, STDERR_FILENO);
  const std::lock_guard lock(mutex_);
  starting_ = false;
}

std::vector<std::string> EalLog::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

ssize_t EalLog::on_write(void* self, const char* text, size_t bytes) {
  static_cast<EalLog*>(self)->take(text, bytes);
  return static_cast<ssize_t>(bytes);
}

void EalLog::take(const char* text, size_t bytes) {
  const std::lock_guard lock(mutex_);
  partial_.append(text, bytes);
  for (size_t end; (end = partial_.find('\n')) != std::string::npos;) {
    const std::string line = partial_.substr(0, end);
    partial_.erase(0, end + 1);
    if (line.empty()) continue;
    if (starting_ && lines_.size() < kMaxLines) lines_.push_back(line);
    if (verbose_) {
      log_info("dpdk: {}", line);
    } else if (!starting_) {
      log_debug("dpdk: {}", line);
    }
  }
}

std::string explain(const std::vector<std::string>& lines, const std::string& device) {
  // A driver says why just before the bus gives up on its device, often without naming it.
  const auto is_eal = [](const std::string& line) { return line.starts_with("EAL: "); };
  std::string reason;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find(device) == std::string::npos || is_eal(lines[i])) continue;
    const bool gave_up = lines[i].find("failed to initialize") != std::string::npos;
    if (gave_up && (i == 0 || is_eal(lines[i - 1]))) continue;
    const std::string& line = gave_up ? lines[i - 1] : lines[i];
    if (reason.find(line) != std::string::npos) continue;
    reason += (reason.empty() ? "" : "; ") + line;
  }
  return reason;
}

}  // namespace wirelay::ctrl
