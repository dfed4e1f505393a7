// Load, cookies and the limit of each source.
#include "ctrl/protocol/load_guard.h"

#include <algorithm>

#include <sodium.h>

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kIntervalNs = kSecondNs / 20;
constexpr uint64_t kBurstNs = 4 * kIntervalNs;  // five at once: this far ahead, and one more
constexpr size_t kLimiterSlots = 8192;          // a power of two; 64 KiB

}  // namespace

SourceLimiter::SourceLimiter() : arrivals_(kLimiterSlots) { crypto::random_bytes(seed_); }

bool SourceLimiter::allow(const dataplane::IpAddr& source, uint64_t now_ns) noexcept {
  static_assert(sizeof(seed_) == crypto_shorthash_KEYBYTES);
  uint64_t hash;
  const size_t significant = source.is_v4() ? source.bytes.size() : 8;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), source.bytes.data(), significant,
                   seed_.data());
  uint64_t& arrival = arrivals_[hash & (kLimiterSlots - 1)];
  if (arrival > now_ns + kBurstNs) return false;
  arrival = std::max(arrival, now_ns) + kIntervalNs;
  return true;
}

LoadGuard::LoadGuard(const crypto::PublicKey& self, size_t threshold)
    : jar_(self), threshold_(threshold) {}

bool LoadGuard::under_load(const Now& now) noexcept {
  if (waiting_ >= threshold_) loaded_until_ns_ = now.ns + kSecondNs;
  return now.ns < loaded_until_ns_;
}

LoadGuard::Verdict LoadGuard::judge(const Datagram& datagram, const Now& now) noexcept {
  if (!under_load(now)) return Verdict::kServe;
  if (!jar_.check_mac2(datagram.message, source_bytes(datagram.remote), now.ns / kSecondNs)) {
    return Verdict::kSendCookie;
  }
  return limiter_.allow(datagram.remote.addr, now.ns) ? Verdict::kServe : Verdict::kRefuse;
}

crypto::MessageCookieReply LoadGuard::reply(const Datagram& datagram, const Now& now) noexcept {
  return jar_.reply(datagram.message, source_bytes(datagram.remote), now.ns / kSecondNs);
}

}  // namespace wirelay::ctrl
