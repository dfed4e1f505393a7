// prctl(2), setrlimit(2), mlockall(2).
#include "ctrl/host/private_memory.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace wirelay::ctrl {

void hide_memory() noexcept {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

std::optional<std::string> lock_memory() {
  // Where it may: a limit would keep the process from allocating more than that.
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &all);
  // On fault: tables are as large as the configuration says, and filled as they are needed.
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return std::nullopt;
  return "memory cannot be locked, and the machine may write keys to its swap; give relayd "
         "CAP_IPC_LOCK, or LimitMEMLOCK=infinity in its service";
}

}  // namespace wirelay::ctrl
