// WireGuard as the control thread runs it: who may shake hands, which session a peer uses, and the
// timers (WireGuard paper, section 6). Time is passed in; packets come as punts and leave through
// a PacketSender, so that tests need no port and no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "ctrl/base/now.h"
#include "ctrl/packets/packet_sender.h"
#include "ctrl/protocol/answer.h"
#include "ctrl/protocol/counters.h"
#include "ctrl/protocol/peer_observer.h"
#include "ctrl/users/life.h"
#include "ctrl/users/model.h"
#include "dataplane/dataplane.h"
#include "dataplane/mailbox.h"
#include "dataplane/tables/peer_writer.h"
#include "dataplane/tables/session_writer.h"

namespace wirelay::ctrl {

/// What status and `wg show` tell of a peer.
struct PeerStatus {
  std::optional<dataplane::Endpoint> endpoint;
  uint64_t last_handshake_unix_ns = 0;  // 0: never
  dataplane::Traffic traffic;           // since the relay started, ended sessions included
  bool has_session = false;
  /// Its last initiation was refused, for its time was this, behind that of one before. Unix
  /// seconds; 0: it was not.
  uint64_t refused_time = 0, last_time = 0;
  uint16_t path_mtu = 0;  // largest packet outside; 0: not known where the peer is
};

/// Of all peers.
struct PeerCounts {
  size_t enabled = 0;    // whose user may shake hands
  size_t connected = 0;  // with a session that they have used
};

class Protocol {
 public:
  /// `shared` has its pool: what waits for sessions may take an eighth of it. `handshake_ns`: what
  /// a handshake costs this machine (load_guard.h measures it), from which the protocol tells load
  /// (cookies, paper section 5.3). `answerer` does the costly half of answering; null: the protocol
  /// itself, at once.
  Protocol(dataplane::Shared& shared, dataplane::SessionWriter& sessions,
           dataplane::PeerWriter& peers, PacketSender& sender, const crypto::Identity& identity,
           uint64_t handshake_ns, Answerer* answerer = nullptr);
  ~Protocol();

  /// From now on `observer` hears what becomes of peers; null: nobody does. It outlives that.
  void watch(PeerObserver* observer) noexcept;

  // From the publisher; `peer` is the peer's number in the peer table.
  // -----------------------------
  void add_peer(uint32_t peer, const PeerSpec& spec, bool enabled);
  /// A user, by its number in the user table; before its peers, and behind those of the user that
  /// had the number.
  void add_user(uint32_t user, const SessionRules& rules);
  /// Holds for handshakes from now on; nobody who is connected has to go.
  void change_user(uint32_t user, const SessionRules& rules);
  /// Key, preshared key, endpoint, keepalive as they now are. Another public key ends sessions; a
  /// changed preshared key holds from the next handshake on. A persistent keepalive that is
  /// switched on is sent at once.
  void change_peer(uint32_t peer, const PeerSpec& spec, bool enabled);
  /// An operator says where the peer is, though that may be what was configured before and the peer
  /// has roamed since: packets go there from now on. Port 0 takes the endpoint away, and nothing
  /// goes to the peer until it is heard; nullopt: none is configured, it stays where it is.
  void place_peer(uint32_t peer, const std::optional<dataplane::Endpoint>& endpoint);
  /// Takes the peer's next initiation, whatever its time.
  void forget_timestamp(uint32_t peer);
  /// Goes on with the life of a peer that was just added. Where it was is where it is now, unless
  /// the operator has named another place since: `life` says no place then.
  void resume_peer(uint32_t peer, const PeerLife& life, const Now& now);
  /// Ends sessions and handshakes, drops what waits.
  void remove_peer(uint32_t peer);

  // From the event loop. ------------------------------------------------------------------------
  /// A handshake message, a router's report, or a packet that waits for a session. Owns the mbuf.
  /// Such a packet is sealed only while its destination is the peer's, whatever number the punt
  /// names.
  void handle(const dataplane::Punt& punt, const Now& now);
  /// The same of what came together: initiations among it are computed together.
  void handle(std::span<const dataplane::Punt> punts, const Now& now);
  /// How many handshake messages it is worth to hand over together: what they fill, or no more than
  /// take a millisecond.
  [[nodiscard]] unsigned handshakes_at_once() const noexcept;
  void handle(const dataplane::Event& event, const Now& now);
  /// More handshakes come than are served: for a second, whoever shows no cookie is asked for one.
  void note_load(const Now& now);
  /// Sends up to `most` responses that the answerer has computed; returns how many there were.
  unsigned finish_answers(unsigned most, const Now& now);
  /// Timers: call every 10 ms or so; each call looks at a slice of the peers, every peer at least
  /// four times a second.
  void tick(const Now& now);

  // Of users whose time ends. ------------------------------------------------------------------
  [[nodiscard]] uint32_t peer_count(uint32_t user) const;
  /// The next of the user's peers, all of them in turn: of a user whose time is over
  /// (dataplane::kEnded) its sessions and handshakes end; else it is greeted, where a keepalive is
  /// due to it.
  void follow_user(uint32_t user);
  /// Seconds since 1970; 0: there was none yet.
  [[nodiscard]] uint64_t first_handshake(uint32_t user) const;
  void set_first_handshake(uint32_t user, uint64_t seconds);
  /// Users whose first handshake was since the last call.
  [[nodiscard]] std::vector<uint32_t> take_first_handshakes();

  /// From now on nobody gets a new session, and we begin none; those that there are live on.
  void close() noexcept;

  [[nodiscard]] PeerStatus status(uint32_t peer) const;
  /// What is to last: the peer's traffic, where it is, and what guards against replays.
  [[nodiscard]] PeerLife life(uint32_t peer) const;
  [[nodiscard]] PeerCounts peer_counts() const noexcept;
  [[nodiscard]] const ProtocolCounters& counters() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wirelay::ctrl
