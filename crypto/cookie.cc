// Mac1, mac2 and cookies of handshake messages.
#include "crypto/cookie.h"

#include <cstring>
#include <string_view>

#include "crypto/aead_single.h"
#include "crypto/blake2s.h"

namespace wirelay::crypto {

namespace {

constexpr std::string_view kMac1Label = "mac1----";
constexpr std::string_view kCookieLabel = "cookie--";

constexpr size_t kMacBytes = sizeof(MacTrailer::mac1);
constexpr size_t kSenderOffset = offsetof(MessageInitiation, sender);
static_assert(kSenderOffset == offsetof(MessageResponse, sender));

Bytes32 labelled_key(std::string_view label, const PublicKey& owner) noexcept {
  return blake2s({{reinterpret_cast<const uint8_t*>(label.data()), label.size()}, owner});
}

/// Only initiations and responses carry macs.
bool carries_macs(ConstBytes message) noexcept {
  return message.size() == sizeof(MessageInitiation) || message.size() == sizeof(MessageResponse);
}

/// A message of carries_macs(), cut where the macs stand.
template <typename Byte>
struct Parts {
  explicit Parts(std::span<Byte> message) noexcept
      : body(message.first(message.size() - 2 * kMacBytes)),
        body_and_mac1(message.first(message.size() - kMacBytes)),
        mac1(body_and_mac1.last(kMacBytes)),
        mac2(message.last(kMacBytes)) {}
  std::span<Byte> body, body_and_mac1, mac1, mac2;
};

Cookie make_cookie(const Secret& secret, ConstBytes source) noexcept {
  return blake2s_mac(secret.bytes(), {source});
}

}  // namespace

Bytes32 mac1_key(const PublicKey& receiver) noexcept { return labelled_key(kMac1Label, receiver); }

bool check_mac1(const Bytes32& key, std::span<const uint8_t> message) noexcept {
  if (!carries_macs(message)) return false;
  const Parts parts(message);
  return equal(blake2s_mac(key, {parts.body}), parts.mac1);
}

CookieJar::CookieJar(const PublicKey& self) noexcept
    : cookie_key_(labelled_key(kCookieLabel, self)) {}

void CookieJar::refresh(uint64_t now) noexcept {
  const uint64_t age = now - born_;
  if (has_secret_ && age < kCookieRefreshTime) return;
  has_previous_ = has_secret_ && age < uint64_t{2} * kCookieRefreshTime;
  previous_ = secret_;
  if (!has_previous_) previous_.clear();
  random_bytes({secret_.data(), Secret::size()});
  has_secret_ = true;
  born_ = now;
}

bool CookieJar::check_mac2(std::span<const uint8_t> message, std::span<const uint8_t> source,
                           uint64_t now) noexcept {
  if (!carries_macs(message)) return false;
  refresh(now);
  const Parts parts(message);
  const auto made_with = [&](const Secret& secret) {
    const Cookie cookie = make_cookie(secret, source);
    return equal(blake2s_mac(cookie, {parts.body_and_mac1}), parts.mac2);
  };
  return made_with(secret_) || (has_previous_ && made_with(previous_));
}

MessageCookieReply CookieJar::reply(std::span<const uint8_t> message,
                                    std::span<const uint8_t> source, uint64_t now) noexcept {
  refresh(now);
  MessageCookieReply reply{};
  reply.header.type = static_cast<uint8_t>(MessageType::kCookieReply);
  std::memcpy(reply.receiver, message.data() + kSenderOffset, sizeof reply.receiver);
  Nonce192 nonce;
  random_bytes(nonce);
  std::memcpy(reply.nonce, nonce.data(), nonce.size());
  xaead_seal(reply.sealed_cookie, make_cookie(secret_, source), Parts(message).mac1, nonce,
             cookie_key_.data());
  return reply;
}

MacWriter::MacWriter(const PublicKey& receiver) noexcept
    : mac1_key_(mac1_key(receiver)), cookie_key_(labelled_key(kCookieLabel, receiver)) {}

void MacWriter::write(std::span<uint8_t> message, uint64_t now) noexcept {
  const Parts parts(message);
  last_mac1_ = blake2s_mac(mac1_key_, {parts.body});
  sent_ = true;
  std::memcpy(parts.mac1.data(), last_mac1_.data(), kMacBytes);
  Mac mac2{};
  if (has_cookie_ && now - cookie_born_ < kCookieRefreshTime) {
    mac2 = blake2s_mac(cookie_, {parts.body_and_mac1});
  }
  std::memcpy(parts.mac2.data(), mac2.data(), kMacBytes);
}

bool MacWriter::consume(const MessageCookieReply& reply, uint64_t now) noexcept {
  if (!sent_ || reply.header.type != static_cast<uint8_t>(MessageType::kCookieReply)) return false;
  Nonce192 nonce;
  std::memcpy(nonce.data(), reply.nonce, nonce.size());
  Cookie cookie;
  if (!xaead_open(cookie, reply.sealed_cookie, last_mac1_, nonce, cookie_key_.data())) return false;
  cookie_ = cookie;
  cookie_born_ = now;
  has_cookie_ = true;
  sent_ = false;  // one reply for each message sent: a replayed one is refused
  return true;
}

}  // namespace wirelay::crypto
