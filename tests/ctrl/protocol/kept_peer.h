// A WireGuard peer, by the paper, that keeps the keys of every session that it ever had and each
// counter that came with them: what a relay sends can be held against all that it sent before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "crypto/aead.h"
#include "crypto/cookie.h"
#include "crypto/noise.h"

namespace wirelay::test {

class KeptPeer {
 public:
  using Bytes = std::vector<uint8_t>;

  struct Session {
    crypto::TransportKeys keys;   // as the peer holds them
    uint64_t next = 0;            // counter of what the peer sends
    std::set<uint64_t> counters;  // of what has come
    uint64_t empty = 0;           // keepalives among it
  };

  /// `number`: the upper bits of its receiver indices, of which none is used twice.
  KeptPeer(const crypto::PublicKey& relay, uint32_t number);

  [[nodiscard]] const crypto::PublicKey& public_key() const { return self_.public_key; }
  /// By receiver index: a name for the key that nobody else can give.
  [[nodiscard]] const std::map<uint32_t, Session>& sessions() const { return sessions_; }

  /// Begins a handshake.
  Bytes begin();
  /// An initiation of ours has no answer yet.
  [[nodiscard]] bool waits() const { return waiting_.has_value(); }
  /// Takes a message and returns what it answers: a response, or the first packet of a session.
  /// Fails the test when a transport message does not open, or has a counter that its key has had.
  std::optional<Bytes> take(Bytes message);
  /// A transport message around `inner`, padded; nullopt while there is no session to send with.
  std::optional<Bytes> seal(const Bytes& inner);

 private:
  uint32_t fresh_index() { return number_ << kIndexBits | ++indices_; }
  std::optional<Bytes> answer(const Bytes& message);
  std::optional<Bytes> finish(const Bytes& message);
  void open(Bytes& message);
  /// Enters a session; fails the test when its keys are those of another.
  void enter(const crypto::TransportKeys& keys);

  static constexpr unsigned kIndexBits = 24;
  crypto::Identity self_;
  crypto::RemoteIdentity relay_;
  crypto::MacWriter macs_;
  std::unique_ptr<crypto::AeadEngine> engine_;
  uint32_t number_, indices_ = 0;
  uint64_t stamps_ = 0;
  std::optional<crypto::HandshakeState> waiting_;
  std::map<uint32_t, Session> sessions_;
  std::set<crypto::Bytes32> keys_;  // that the relay has sent with
  uint32_t current_ = 0;            // the session that the peer sends with; 0: none
};

}  // namespace wirelay::test
