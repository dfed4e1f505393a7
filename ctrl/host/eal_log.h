// DPDK's own log: kept while the EAL starts, so that a failure can be explained from it, and
// afterwards passed on to ours at level debug; with --verbose at level info, from the beginning.
#pragma once

#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

namespace wirelay::ctrl {

class EalLog {
 public:
  /// Takes DPDK's log from now on, and without `verbose` standard output and error, too, which the
  /// EAL writes to directly. One at a time. Throws std::runtime_error.
  explicit EalLog(bool verbose);
  ~EalLog();
  EalLog(const EalLog&) = delete;
  EalLog& operator=(const EalLog&) = delete;

  /// The EAL has started or failed: gives standard output and error back.
  void started();

  /// What DPDK said until started(), line by line.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  void take(const char* text, size_t bytes);
  static ssize_t on_write(void* self, const char* text, size_t bytes);

  const bool verbose_;
  mutable std::mutex mutex_;  // DPDK logs from any of its threads
  bool starting_ = true;
  std::string partial_;             // a line that has not ended yet
  std::vector<std::string> lines_;  // while starting
  FILE* stream_ = nullptr;
  int saved_out_ = -1, saved_err_ = -1;  // while these are taken
};

/// The lines that tell why `device` could not be made, in one, shortened; empty when none does.
std::string explain(const std::vector<std::string>& lines, const std::string& device);

}  // namespace wirelay::ctrl
