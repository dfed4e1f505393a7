// The control groups that this process lies in, of version 1, 2 or both.
#pragma once

#include <cstdint>
#include <string>

namespace wirelay::ctrl {

/// The memory in bytes that this process's control group and those around it may take (systemd's
/// MemoryMax=, a container's limit); UINT64_MAX when there is no limit. `root`: where /proc and the
/// groups' mount points stand, "" but for tests.
uint64_t control_group_limit(const std::string& root);

}  // namespace wirelay::ctrl
