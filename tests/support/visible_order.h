// DPDK's drivers are libraries that the thread sanitizer has not compiled: it does not see that
// what passes through a ring port, or through a pool of buffers, passes from one thread to the
// next, and would take each reuse of a buffer for a race. Here both are made visible to it. Where
// there is no such sanitizer, nothing is done.
#pragma once

#include <cstdint>

namespace wirelay::test {

/// Pools made from now on are rings that are compiled here.
void make_pools_visible();

/// What a frame's last thread wrote is known to whoever polls it from the port, and what a worker
/// wrote to whoever takes it. The port is configured.
void make_port_visible(uint16_t port, uint16_t queues);

/// By whoever is on the other side: in front of feeding a port, and behind taking from one.
void feeds_port() noexcept;
void took_from_port() noexcept;

}  // namespace wirelay::test
