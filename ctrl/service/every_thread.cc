// tgkill(2) to each of /proc/self/task, until none is new.
#include "ctrl/service/every_thread.h"

#include <atomic>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

#include "ctrl/base/every_thread_signal.h"

namespace wirelay::ctrl {

namespace {

// Written by the caller before it sends signals, and by the threads that got one.
std::atomic<void (*)() noexcept> g_act{nullptr};
std::atomic<unsigned> g_done{0};

void act_here(int) noexcept {
  const int error = errno;
  if (auto* act = g_act.load()) {
    act();
    g_done.fetch_add(1);
  }
  errno = error;
}

std::set<pid_t> threads() {
  std::set<pid_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string name = entry.path().filename();
    pid_t thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    found.insert(thread);
  }
  if (found.empty()) throw std::runtime_error("/proc does not list the threads of this process");
  return found;
}

/// The handler while it lives, and then the one before.
class Handler {
 public:
  explicit Handler(void (*act)() noexcept) {
    g_act = act;
    g_done = 0;
    struct sigaction action {};
    action.sa_handler = act_here;
    action.sa_flags = SA_RESTART;
    sigaction(every_thread_signal(), &action, &before_);
  }
  ~Handler() {
    g_act = nullptr;  // a thread that wakes up late does nothing
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    sigaction(every_thread_signal(), before_.sa_handler == SIG_DFL ? &ignored : &before_, nullptr);
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace

bool on_every_thread(void (*act)() noexcept, std::chrono::milliseconds patience) {
  const Handler handler(act);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::set<pid_t> asked;
  unsigned expected = 0;
  for (bool fresh = true; fresh;) {
    fresh = false;
    for (const pid_t thread : threads()) {
      if (!asked.insert(thread).second) continue;
      if (syscall(SYS_tgkill, getpid(), thread, every_thread_signal()) != 0) continue;  // has ended
      fresh = true;
      ++expected;
    }
    while (g_done.load() < expected) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return true;
}

}  // namespace wirelay::ctrl
