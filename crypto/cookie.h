// Mac1, mac2 and cookies: what keeps a handshake flood cheap (WireGuard paper,
// sections 5.3, 5.4.7).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/keys.h"
#include "crypto/wire.h"

namespace wirelay::crypto {

using Mac = std::array<uint8_t, 16>;
using Cookie = std::array<uint8_t, 16>;

/// The key of mac1 for messages to the owner of `receiver`: HASH("mac1----" || public key).
Bytes32 mac1_key(const PublicKey& receiver) noexcept;

/// True when the mac1 of an initiation or response is right. `message` is the whole message,
/// macs included; false for any other size. No allocation, no lock: workers call it before they
/// punt. `key`: mac1_key() of our own public key.
bool check_mac1(const Bytes32& key, std::span<const uint8_t> message) noexcept;

/// Responder: makes and checks cookies. Control thread only.
class CookieJar {
 public:
  explicit CookieJar(const PublicKey& self) noexcept;

  /// True when the sender used a cookie that we made for this source, which proves that it can
  /// receive there. `source`: the sender's address and port, as bytes. `now`: seconds, monotonic;
  /// the secret behind the cookies is changed every kCookieRefreshTime, the one before stays valid
  /// as long.
  bool check_mac2(std::span<const uint8_t> message, std::span<const uint8_t> source,
                  uint64_t now) noexcept;

  /// The reply to `message` (an initiation or response whose check_mac1() was true).
  MessageCookieReply reply(std::span<const uint8_t> message, std::span<const uint8_t> source,
                           uint64_t now) noexcept;

 private:
  void refresh(uint64_t now) noexcept;
  Bytes32 cookie_key_;
  Secret secret_, previous_;
  uint64_t born_ = 0;
  bool has_secret_ = false, has_previous_ = false;
};

/// Initiator's side, one for each peer: writes both macs of what we send, takes cookie replies.
class MacWriter {
 public:
  explicit MacWriter(const PublicKey& receiver) noexcept;

  /// Fills the macs of `message`, an initiation or response complete but for them. mac2 is zero
  /// unless a cookie younger than kCookieRefreshTime is held.
  void write(std::span<uint8_t> message, uint64_t now) noexcept;

  /// True when the reply is authentic for the message that was written last; its cookie then goes
  /// into the next messages. One reply is taken for each message; the caller has matched the
  /// receiver index.
  bool consume(const MessageCookieReply& reply, uint64_t now) noexcept;

  /// A reply was consumed, so that there is something to keep (for kCookieRefreshTime).
  [[nodiscard]] bool has_cookie() const noexcept { return has_cookie_; }

 private:
  Bytes32 mac1_key_;
  Bytes32 cookie_key_;
  Mac last_mac1_{};
  Cookie cookie_{};
  uint64_t cookie_born_ = 0;
  bool has_cookie_ = false, sent_ = false;
};

}  // namespace wirelay::crypto
