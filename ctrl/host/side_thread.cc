// Cores and priorities of Linux threads.
#include "ctrl/host/side_thread.h"

#include <algorithm>
#include <optional>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

namespace wirelay::ctrl {

namespace {

/// Written by the main thread before any side thread begins; none: as the maker of each.
std::optional<cpu_set_t> g_cores;

}  // namespace

std::vector<unsigned> side_cores(const Config& config, const std::vector<unsigned>& allowed) {
  const auto of_worker = [&](unsigned core) {
    return std::ranges::find(config.worker_cores, core) != config.worker_cores.end();
  };
  std::vector<unsigned> cores, shared;
  for (const unsigned core : allowed) {
    const bool control = core == config.control_core;
    if (!control && !of_worker(core)) cores.push_back(core);
    if (control || config.polling == dataplane::Polling::kAdaptive) shared.push_back(core);
  }
  return cores.empty() ? shared : cores;
}

std::vector<unsigned> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<unsigned> cores;
  for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

void set_side_cores(const std::vector<unsigned>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned core : cores) CPU_SET(core, &set);
  g_cores = set;
}

void become_side_thread(const char* name, int nice) noexcept {
  pthread_setname_np(pthread_self(), name);
  if (g_cores) sched_setaffinity(0, sizeof *g_cores, &*g_cores);  // 0: this thread
  if (nice != 0) setpriority(PRIO_PROCESS, 0, nice);              // of this thread, as Linux has it
}

}  // namespace wirelay::ctrl
