// Keys live in memory: the relay's own, peers' preshared keys, those of sessions. What keeps them
// there and out of others' sight.
#pragma once

#include <optional>
#include <string>

namespace wirelay::ctrl {

/// From now on no core is dumped, and no other process of the same user reads this one's memory;
/// root's can. Both are for good.
void hide_memory() noexcept;

/// Keeps all pages of the process out of the swap, those to come included, as they are touched.
/// Returns what to do when the kernel refuses it.
std::optional<std::string> lock_memory();

}  // namespace wirelay::ctrl
