// The lists, as programs for the kernel that libseccomp writes.
#include "ctrl/service/system_calls.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include <fmt/core.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "ctrl/base/device.h"
#include "ctrl/service/every_thread.h"

namespace wirelay::ctrl {

namespace {

/// Polling drivers send, ring a doorbell and look at descriptors; a worker sleeps. Memory besides
/// (allow_data()).
constexpr const char* kOfWorkers[] = {
    "brk",
    "clock_gettime",
    "clock_nanosleep",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "exit",
    "exit_group",
    "futex",
    "getpid",
    "gettid",
    "ioctl",
    "madvise",
    "munmap",
    "nanosleep",
    "poll",
    "ppoll",
    "read",
    "readv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_yield",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "tgkill",
    "write",
    "writev",
    "gettimeofday",
};

/// Files, sockets, memory, threads and time. Not among them: executing, tracing and looking into
/// other processes, mounts and namespaces, modules, keys of the kernel, other users' identities.
constexpr const char* kOfOthers[] = {
    "accept",
    "accept4",
    "access",
    "arch_prctl",
    "bind",
    "capget",
    "capset",
    "chmod",
    "chown",
    "clock_getres",
    "clone",
    "clone3",
    "close",
    "close_range",
    "connect",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "epoll_pwait2",
    "eventfd2",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fchmod",
    "fchmodat",
    "fchown",
    "fchownat",
    "fcntl",
    "fdatasync",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getcwd",
    "get_mempolicy",
    "mbind",
    "set_mempolicy",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getpeername",
    "getpriority",
    "getrandom",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getrusage",
    "getsockname",
    "getsockopt",
    "getuid",
    "get_robust_list",
    "link",
    "linkat",
    "listen",
    "lseek",
    "lstat",
    "membarrier",
    "memfd_create",
    "mincore",
    "mkdir",
    "mkdirat",
    "mlock",
    "mlock2",
    "mlockall",
    "mremap",
    "munlock",
    "munlockall",
    "newfstatat",
    "open",
    "openat",
    "pipe",
    "pipe2",
    "prctl",
    "pread64",
    "preadv",
    "prlimit64",
    "pselect6",
    "pwrite64",
    "pwritev",
    "readlink",
    "readlinkat",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "rseq",
    "rt_sigpending",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_setaffinity",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "select",
    "set_tid_address",
    "setpriority",
    "setrlimit",
    "setsockopt",
    "shutdown",
    "sigaltstack",
    "signalfd4",
    "socket",
    "socketpair",
    "stat",
    "statfs",
    "statx",
    "sysinfo",
    "time",
    "timerfd_create",
    "timerfd_settime",
    "times",
    "umask",
    "uname",
    "unlink",
    "unlinkat",
    "utimensat",
};

/// Drivers that do more than read, write and send: af_xdp takes its program back when it ends.
struct DriverCalls {
  std::string_view driver;
  const char* call;
};
constexpr std::array kOfDrivers = {DriverCalls{"net_af_xdp", "bpf"}};

using Program = std::vector<sock_filter>;

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_TRAP)) {
    if (context_ == nullptr) throw std::runtime_error("no memory for a list of system calls");
  }
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  /// A call that this kind of machine does not have is none that can be made.
  void allow(const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number >= 0) check(seccomp_rule_add(context_, SCMP_ACT_ALLOW, number, 0), name);
  }
  /// Memory that is written is never executed, and what was code stays as it is.
  void allow_data(const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    const scmp_arg_cmp no_code{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};  // of the third argument
    check(seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, number, 1, &no_code), name);
  }
  [[nodiscard]] Program program() const {
    const int fd = memfd_create("system calls", MFD_CLOEXEC);
    check(fd < 0 ? -errno : seccomp_export_bpf(context_, fd), "the list");
    Program program(static_cast<size_t>(lseek(fd, 0, SEEK_END)) / sizeof(sock_filter));
    const size_t size = program.size() * sizeof(sock_filter);
    const bool whole = pread(fd, program.data(), size, 0) == static_cast<ssize_t>(size);
    close(fd);
    if (!whole || program.empty()) throw std::runtime_error("a list of system calls is cut");
    return program;
  }

 private:
  static void check(int result, const char* what) {
    if (result >= 0) return;
    throw std::runtime_error(fmt::format("{}: {}", what, strerror(-result)));
  }
  const scmp_filter_ctx context_;
};

void allow_workers_calls(Filter& filter) {
  for (const char* name : kOfWorkers) filter.allow(name);
  for (const char* name : {"mmap", "mprotect"}) filter.allow_data(name);
}

Program workers_program() {
  Filter filter;
  allow_workers_calls(filter);
  return filter.program();
}

Program others_program(const Config& config) {
  Filter filter;
  allow_workers_calls(filter);
  for (const char* name : kOfOthers) filter.allow(name);
  for (const PortConfig& port : config.ports) {
    const Device device = parse_device(port.device);
    for (const DriverCalls& more : kOfDrivers) {
      if (device.driver == more.driver) filter.allow(more.call);
    }
  }
  return filter.program();
}

// Written by the control thread before the threads are asked; live as long as the process.
Program g_workers, g_others;
std::atomic<int> g_filter_refused{0};

void narrow(Program& program) noexcept {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) g_filter_refused = errno;
}

bool is_worker() noexcept {
  const unsigned lcore = rte_lcore_id();
  return lcore != LCORE_ID_ANY && lcore != rte_get_main_lcore();
}

/// Within a signal handler.
void narrow_here() noexcept { narrow(is_worker() ? g_workers : g_others); }

/// Of each number, so that the handler looks up without allocating.
std::vector<std::string> call_names() {
  constexpr int kMost = 512;
  std::vector<std::string> names(kMost);
  for (int i = 0; i < kMost; ++i) {
    const std::unique_ptr<char, decltype(&free)> name(
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i), &free);
    names[i] = name ? name.get() : fmt::format("number {}", i);
  }
  return names;
}

std::vector<std::string> g_names;

void say(std::string_view text) noexcept {
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
}

/// A call that is on no list: the process is not doing what it was made for.
void end_here(int, siginfo_t* info, void*) noexcept {
  const auto number = static_cast<size_t>(info->si_syscall);
  say(is_worker() ? "relayd: ended by itself: a worker" : "relayd: ended by itself: it");
  say(" was about to make a system call that is none of its work: ");
  say(number < g_names.size() ? g_names[number] : std::string_view("unknown"));
  say("; \"system_calls\": \"all\" in its configuration lets all pass\n");
  std::signal(SIGSYS, SIG_DFL);
  std::raise(SIGSYS);
}

}  // namespace

bool can_restrict_system_calls() noexcept {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}

std::string restrict_system_calls(const Config& config) {
  try {
    g_workers = workers_program();
    g_others = others_program(config);
    g_names = call_names();
    struct sigaction action {};
    action.sa_sigaction = end_here;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &action, nullptr);
    g_filter_refused = 0;
    if (!on_every_thread(narrow_here)) return "a thread does not listen to signals";
  } catch (const std::exception& e) {
    return e.what();
  }
  return g_filter_refused == 0
             ? ""
             : std::string("the kernel refuses it: ") + strerror(g_filter_refused);
}

}  // namespace wirelay::ctrl
