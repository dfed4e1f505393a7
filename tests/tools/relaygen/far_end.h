// A WireGuard endpoint in miniature, on ring ports, for tests of relaygen: it answers handshakes
// and opens and seals packets, and the test decides what becomes of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <rte_mempool.h>

#include "crypto/aead.h"
#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "tests/support/ring_port.h"
#include "tools/relaygen/peers_file.h"

namespace wirelay::relaygen {

using Bytes = std::vector<uint8_t>;

class FarEnd {
 public:
  FarEnd(const std::vector<Identity>& peers, rte_mempool* pool);
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  [[nodiscard]] const crypto::Identity& identity() const { return self_; }
  [[nodiscard]] crypto::PublicKey public_key() const { return self_.public_key; }

  /// Answers handshakes; what else has come from the clients is opened into `inner`.
  void step();
  /// What the clients' plain side has sent: Ethernet frames.
  std::vector<Bytes> take_plain();

  void send_plain(const Bytes& inner);                  // to the plain side
  void send_sealed(uint32_t peer, const Bytes& inner);  // to a client
  /// Sends a frame to the clients as it stands.
  void send_tunnel(const Bytes& frame);
  /// The frame that send_sealed() would send.
  Bytes seal(uint32_t peer, const Bytes& inner);

  /// Begins a handshake itself.
  void initiate(uint32_t peer);

  test::RingPort tunnel{1, 8192}, plain{1, 8192};

  // Orders, and what has happened.
  bool demand_cookies = false;
  bool believe_no_cookie = false;     // every initiation gets another one
  uint32_t ignored_initiations = 0;   // so many are to get no answer
  bool forge_responses = false;       // a damaged one goes ahead of each
  std::vector<Bytes> inner;           // opened packets, keepalives left out
  std::vector<uint32_t> inner_peers;  // who sent them
  uint32_t initiations = 0, keepalives = 0, forged = 0;
  std::map<uint32_t, std::vector<uint64_t>> counters;  // of each receiver index, as they came

 private:
  struct Session {
    uint32_t peer;
    crypto::TransportKeys keys;
    uint64_t sent = 0;
  };

  void take_message(const Bytes& frame);
  void answer(const crypto::MessageInitiation& message, const Bytes& frame);
  void finish(const crypto::MessageResponse& message);
  void open(const Bytes& frame);
  Bytes wrap(const Bytes& like, std::span<const uint8_t> message) const;
  void feed(test::RingPort& port, const Bytes& frame);

  const crypto::Identity self_;
  const std::vector<Identity> peers_;
  rte_mempool* const pool_;
  crypto::CookieJar cookies_;
  std::unique_ptr<crypto::AeadEngine> engine_;
  std::map<uint32_t, Session> sessions_;   // by our receiver index
  std::map<uint32_t, uint32_t> current_;   // by peer: our receiver index
  std::map<uint32_t, Bytes> last_frames_;  // by peer: where it sends from
  std::map<uint32_t, std::pair<uint32_t, crypto::HandshakeState>> begun_;  // by our index
  uint32_t next_index_ = 1000;
};

}  // namespace wirelay::relaygen
