// What NAT44 tells of itself: as a whole, of one block of ports, and of one user.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/ip.h"

namespace wirelay::ctrl {

/// How much of what there is is used.
struct NatStatus {
  std::string port;
  uint32_t addresses = 0, block_ports = 0, max_blocks = 0, max_flows = 0;
  uint32_t blocks = 0, blocks_free = 0, blocks_resting = 0;
  uint32_t records = 0, records_used = 0;  // of mappings and flows, of all workers
  uint64_t ipfix_lost = 0;    // messages to the collector that the machine did not take
  uint64_t packets_lost = 0;  // that waited for a block, and found the ring back to a worker full
};

/// One block that a user has.
struct NatBlockStatus {
  uint32_t user_number = 0;
  std::string user;
  dataplane::IpAddr address;
  uint16_t first_port = 0, last_port = 0;
  uint32_t worker = 0, mappings = 0, flows = 0;
};

/// Of one user.
struct NatUse {
  uint64_t blocks = 0, flows = 0;
};

}  // namespace wirelay::ctrl
