// Capabilities (capabilities(7)) that the relay has while it starts, and those that it keeps.
#pragma once

#include <cstdint>
#include <string>

#include "ctrl/config/config.h"

namespace wirelay::ctrl {

/// A set of them as the kernel has it, a bit each.
using CapabilitySet = uint64_t;

/// Of the calling thread, as it may use them.
CapabilitySet capabilities_here() noexcept;

/// What a relay with this configuration is left with once it serves: CAP_NET_ADMIN where it gives
/// interfaces back to the kernel as it found them, when it ends; CAP_IPC_LOCK where the limit on
/// locked memory would keep it from allocating (`memory_limited`); CAP_DAC_OVERRIDE for root, who
/// may have been given files of others that a reload reads again.
CapabilitySet capabilities_kept(const Config& config, bool memory_limited, bool root);

/// "CAP_NET_ADMIN, CAP_IPC_LOCK", or "none".
std::string text_of_capabilities(CapabilitySet set);

/// All others are gone for good, from all threads of the process and from what it might execute, as
/// are further rights by executing (no_new_privs). Returns what is in the way; empty: nothing.
/// Control thread, once.
std::string keep_capabilities(CapabilitySet kept);

}  // namespace wirelay::ctrl
