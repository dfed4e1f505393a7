// Keys that two devices share: each shakes hands from its own address, and takes the session from
// the other, in turn. A device that moves doesn't come back to where it was again and again.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/ip.h"
#include "dataplane/tables/lazy_array.h"

namespace wirelay::ctrl {

class SharedKeys {
 public:
  SharedKeys(uint32_t peers, uint64_t tsc_hz)
      : tsc_hz_(tsc_hz), peers_(peers, dataplane::Memory::kSparse) {}

  /// An authentic handshake of the peer comes from there, at a TSC reading. The other place, when
  /// it is the sixth time within ten minutes that the peer has changed from the one to the other;
  /// the count begins anew then.
  std::optional<dataplane::Endpoint> note(uint32_t peer, const dataplane::Endpoint& from,
                                          uint64_t now);
  /// The peer's number, or its key, is another's.
  void forget(uint32_t peer) { peers_[peer] = {}; }

 private:
  struct Places {
    dataplane::Endpoint last, before;
    uint32_t changes;  // between the two
    uint64_t since;    // the first of these
  };

  const uint64_t tsc_hz_;
  dataplane::LazyArray<Places> peers_;
};

}  // namespace wirelay::ctrl
