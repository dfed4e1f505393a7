// The progress line.
#include "tools/relaygen/progress.h"

#include <chrono>
#include <iostream>

#include <unistd.h>

namespace wirelay::relaygen {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

bool Progress::is_due() const { return terminal_ && now() - shown_ > 0.1; }

void Progress::show(const std::string& text, bool at_once) {
  if (!terminal_ || (!at_once && !is_due())) return;
  std::cerr << "\r\033[K" << text << std::flush;
  shown_ = now();
  dirty_ = true;
}

void Progress::clear() {
  if (dirty_) std::cerr << "\r\033[K" << std::flush;
  dirty_ = false;
}

}  // namespace wirelay::relaygen
