// Where a plain packet was for before NAT gave it the address inside. It stands where a transport
// message has its counter, until the packet is sealed: whoever is told of the packet's end knows it
// as it was sent.
#pragma once

#include <cstdint>

#include "dataplane/burst.h"

namespace wirelay::dataplane::stages {

struct NatOrigin {
  uint32_t address = 0;  // network order; 0: the packet is as it came
  uint16_t port = 0;     // network order; 0: it has changed no port

  void note(PacketMeta& m) const noexcept { m.counter = uint64_t{address} << 32 | port; }
  static NatOrigin of(const PacketMeta& m) noexcept {
    return {static_cast<uint32_t>(m.counter >> 32), static_cast<uint16_t>(m.counter)};
  }
};

}  // namespace wirelay::dataplane::stages
