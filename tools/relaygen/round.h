// A round: packets made, and sealed, ahead of time; each is sent once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <rte_mbuf.h>

#include "crypto/aead.h"
#include "tools/relaygen/clients.h"
#include "tools/relaygen/pace.h"
#include "tools/relaygen/port.h"
#include "tools/relaygen/traffic_mix.h"

namespace wirelay::relaygen {

/// What stands in a packet, to hold against what comes out.
struct RoundPacket {
  uint32_t flow, sequence, stamp;  // see Probe
  uint16_t bytes;                  // of the inner packet
};

struct Round {
  std::vector<RoundPacket> packets;
  std::vector<rte_mbuf*> frames;  // of the same indices; whoever sends one owns it no more
  uint64_t number = 0;            // from 1
  uint64_t inner_bytes = 0;       // of all inner packets

  [[nodiscard]] uint8_t probe_number() const noexcept { return static_cast<uint8_t>(number); }
};

/// Bytes that an inner packet takes inside a transport message: padded to a multiple of 16, but not
/// beyond the tunnel's MTU (WireGuard paper, section 5.4.6, as the Linux kernel does it).
uint32_t padded_bytes(uint32_t inner, uint32_t tunnel_mtu) noexcept;

/// The Ethernet frame with an inner packet sealed in it; `v4`: the outer family.
uint32_t tunnel_frame_bytes(uint32_t inner, uint32_t tunnel_mtu, bool v4) noexcept;

/// Makes rounds. Send counters are the sessions' own and only grow: a packet that is made uses its
/// nonce up, whether it is sent or not.
class RoundMaker {
 public:
  RoundMaker(Clients& clients, crypto::AeadEngine& engine, rte_mempool* pool, Port& tunnel,
             Port* plain, const dataplane::Endpoint& remote, uint16_t tunnel_mtu) noexcept
      : clients_(clients),
        engine_(engine),
        pool_(pool),
        tunnel_(tunnel),
        plain_(plain),
        remote_(remote),
        tunnel_mtu_(tunnel_mtu) {}

  /// Replaces `round`, whose frames have all been sent or freed. `pace`: when its packets are due;
  /// nullopt: as fast as possible. Throws Failure when the pool is exhausted.
  void make(Round& round, uint32_t count, Mode mode, const SizeMix& sizes, Spread& spread,
            Random& random, const std::optional<Pace>& pace);

 private:
  void choose(Round& round, uint32_t count, const SizeMix& sizes, Spread& spread, Random& random,
              const std::optional<Pace>& pace);
  void make_plain(Round& round, size_t at, Mode mode);
  void seal_some(Round& round, size_t from, size_t to, Mode mode);
  void put_inner(uint8_t* to, const Round& round, size_t at, Mode mode) const;

  Clients& clients_;
  crypto::AeadEngine& engine_;
  rte_mempool* pool_;
  Port& tunnel_;
  Port* plain_;
  const dataplane::Endpoint remote_;
  const uint16_t tunnel_mtu_;
};

}  // namespace wirelay::relaygen
