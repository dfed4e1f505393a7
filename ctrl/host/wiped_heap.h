// What relayd frees holds nothing any more: part of that program alone.
#pragma once

namespace wirelay::ctrl {

/// The same for libevent, which has its own way to memory. Before anything of it is used.
void wipe_what_libevent_frees();

}  // namespace wirelay::ctrl
