// Where peers are: the outer path of each, as roaming, configuration and neighbours make it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "ctrl/packets/path_report.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/narrow_paths.h"

namespace wirelay::ctrl {

class Paths {
 public:
  explicit Paths(Context& ctx) : ctx_(ctx) {}

  /// The path to `remote`, from where its packet was for; `local.addr` and `port` as in
  /// PacketSender::route(). nullopt when no port leads there.
  std::optional<dataplane::PeerPath> make(const dataplane::Endpoint& remote,
                                          const dataplane::Endpoint* local, const uint16_t* port);

  /// The peer was heard there by a handshake message: publishes `path` as the peer's.
  void hear(uint32_t peer, const dataplane::PeerPath& path);
  /// Publishes the path to where a worker has seen the peer since, if one has.
  void follow(uint32_t peer);
  /// Towards the configured endpoint, forgetting where the peer roamed to; false when there is
  /// none, or no port leads there.
  bool set_configured(uint32_t peer);
  /// The peer was there when the relay ran before; from which of our addresses, if that is still
  /// ours. Nothing when no port leads there.
  void resume(uint32_t peer, const Whereabouts& where);
  /// Looks for the way to the peer's present address anew: ports and next hops may have changed.
  /// A peer without a path gets the one to its configured endpoint. False when there is none.
  bool refresh(uint32_t peer);
  /// No packet goes to the peer until its address is known again.
  void forget(uint32_t peer);
  /// A router on the way to a peer says what fits: it holds for ten minutes, while the peer is
  /// there. What quotes no message of a session of the peer's is not believed.
  void narrow(const PathReport& report);
  /// Tries paths anew that were narrow.
  void tick();
  /// The peer is being removed; its path itself is PeerWriter::remove()'s.
  void remove(uint32_t peer);

  /// Where the peer is, as far as anybody knows; nullopt when nobody does.
  [[nodiscard]] std::optional<Whereabouts> where(uint32_t peer) const;

  /// Sends a handshake message along `path`, in a class of datagram.h. Without memory it is lost,
  /// as on any network: false, and it is counted.
  bool send(const dataplane::PeerPath& path, std::span<const uint8_t> message,
            uint8_t traffic_class);

 private:
  using Move = dataplane::SessionTable::Move;
  /// The latest of the peer's sessions.
  [[nodiscard]] Move last_move(uint32_t peer) const;
  [[nodiscard]] bool is_left(const PeerState& s, uint32_t index) const;
  /// A stamp behind all that workers have seen so far.
  [[nodiscard]] uint64_t from_now_on(uint32_t peer) const;
  /// Publishes `path` as the peer's unless it is that already. True when its address is another.
  bool set(uint32_t peer, const dataplane::PeerPath& path, uint64_t placed);

  /// It was seen there, as of `stamp`.
  void move(uint32_t peer, const dataplane::PeerPath& path, uint64_t stamp);
  void release(uint32_t peer);
  [[nodiscard]] bool sends_with(uint32_t peer, uint32_t remote_index) const;

  struct HashEndpoint {
    size_t operator()(const dataplane::Endpoint& e) const noexcept {
      return (e.addr.word(0) ^ e.addr.word(1) ^ e.port) * 0x9e3779b97f4a7c15;
    }
  };
  Context& ctx_;
  NarrowPaths narrow_;
  std::unordered_multimap<dataplane::Endpoint, uint32_t, HashEndpoint> peers_;  // by where they are
};

}  // namespace wirelay::ctrl
