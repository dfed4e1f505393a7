// Where peers are: the outer path of each, as roaming, configuration and neighbours make it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ctrl/protocol/context.h"

namespace wirelay::ctrl {

class Paths {
 public:
  explicit Paths(Context& ctx) : ctx_(ctx) {}

  /// The path to `remote`; `local` and `port` as in PacketSender::route(). nullopt when no port
  /// leads there.
  std::optional<dataplane::PeerPath> make(const dataplane::Endpoint& remote,
                                          const dataplane::IpAddr* local, const uint16_t* port);

  /// Publishes `path` as the peer's, unless it is that already. True when the peer's address
  /// changed.
  bool set(uint32_t peer, const dataplane::PeerPath& path);
  /// Towards the configured endpoint, forgetting where the peer roamed to; false when there is
  /// none, or no port leads there.
  bool set_configured(uint32_t peer);
  /// Looks for the way to the peer's present address anew: ports and next hops may have changed.
  /// A peer without a path gets the one to its configured endpoint. False when there is none.
  bool refresh(uint32_t peer);
  /// No packet goes to the peer until its address is known again.
  void forget(uint32_t peer);
  /// The peer is being removed; its path itself is PeerWriter::remove()'s.
  void release(uint32_t peer);

  /// Sends a handshake message along `path`. Without memory it is lost, as on any network: false,
  /// and it is counted.
  bool send(const dataplane::PeerPath& path, std::span<const uint8_t> message);

 private:
  Context& ctx_;
};

}  // namespace wirelay::ctrl
