// One line on the terminal that says how far a long step is; silent when nobody watches.
#pragma once

#include <string>

namespace wirelay::relaygen {

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Replaces the line, at most some ten times a second unless `now`.
  void show(const std::string& text, bool now = false);
  /// Whether show() would show anything: spares making the text.
  [[nodiscard]] bool is_due() const;
  /// Takes the line away.
  void clear();

 private:
  const bool terminal_;  // of standard error
  double shown_ = 0;     // seconds, monotonic
  bool dirty_ = false;
};

}  // namespace wirelay::relaygen
