// In this order: what is given up last is needed to give up the rest.
#include "ctrl/service/harden.h"

#include <sys/resource.h>
#include <unistd.h>

#include "ctrl/base/log.h"
#include "ctrl/host/private_memory.h"
#include "ctrl/service/capabilities.h"
#include "ctrl/service/system_calls.h"

namespace wirelay::ctrl {

namespace {

bool memory_is_limited() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace

void harden(const Config& config) {
  if (const auto refused = lock_memory()) log_warning("{}", *refused);
  const CapabilitySet kept =
      capabilities_here() & capabilities_kept(config, memory_is_limited(), geteuid() == 0);
  const std::string capabilities = keep_capabilities(kept);
  if (!capabilities.empty()) log_warning("capabilities are not given up: {}", capabilities);
  const bool restricted = config.restrict_system_calls && can_restrict_system_calls();
  const std::string calls = restricted ? restrict_system_calls(config) : "";
  if (!calls.empty()) log_warning("system calls are not restricted: {}", calls);
  log_info("capabilities from now on: {}; system calls: {}",
           text_of_capabilities(capabilities_here()),
           restricted && calls.empty() ? "restricted" : "all");
}

}  // namespace wirelay::ctrl
