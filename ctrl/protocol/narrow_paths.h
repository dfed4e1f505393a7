// Paths to peers that take less than the port they leave by, as routers have said: for ten minutes,
// then larger packets try again whether it still is so (RFC 8201, section 4).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "dataplane/ip.h"

namespace wirelay::ctrl {

class NarrowPaths {
 public:
  static constexpr uint64_t kSeconds = 600;

  /// What fits on the way of this peer to `remote`; `mtu`: by the port.
  [[nodiscard]] uint16_t mtu(uint32_t peer, const dataplane::IpAddr& remote, uint16_t mtu) const;
  /// False when as little was known already. `until`: TSC.
  bool learn(uint32_t peer, const dataplane::IpAddr& remote, uint16_t mtu, uint64_t until);
  void forget(uint32_t peer) { known_.erase(peer); }
  /// A peer whose path may be wider again; nullopt when there is none.
  std::optional<uint32_t> expire(uint64_t now);

 private:
  struct Narrow {
    dataplane::IpAddr remote;
    uint16_t mtu;
    uint64_t until;  // TSC
  };
  struct Expiry {
    uint32_t peer;
    uint64_t until;
  };
  std::unordered_map<uint32_t, Narrow> known_;  // by peer number
  std::deque<Expiry> expiries_;                 // in order
};

}  // namespace wirelay::ctrl
