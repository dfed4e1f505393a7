// Key agreements, and public keys of new key pairs, of the handshakes of a part of a burst:
// gathered, computed at once, then read. crypto/noise.cc's.
#pragma once

#include <array>
#include <span>

#include "crypto/blake2s_lanes.h"
#include "crypto/keys.h"
#include "crypto/x25519.h"

namespace wirelay::crypto {

class Exchanges {
 public:
  Exchanges() noexcept = default;
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;

  /// Keys that are given stay where they are until compute().
  void make_public(const Secret& private_key, uint8_t* public_key) noexcept {
    jobs_[count_++] = {private_key.data(), nullptr, public_key, false};
  }
  void agree(const Secret& ours, const uint8_t* theirs) noexcept {
    agreed_[agreements_] = count_;
    jobs_[count_++] = {ours.data(), theirs, shared_[agreements_++].data(), false};
  }
  void compute() noexcept { x25519_burst(std::span(jobs_).first(count_)); }

  /// What the `number`th agree() has agreed upon; not usable for a low-order point.
  [[nodiscard]] const Secret& shared(size_t number) const noexcept { return shared_[number]; }
  [[nodiscard]] bool usable(size_t number) const noexcept { return jobs_[agreed_[number]].usable; }
  /// Of `count` from the `first` on, side by side.
  [[nodiscard]] Lanes<32> shared(size_t first, size_t count) const noexcept {
    Lanes<32> out;
    for (size_t i = 0; i < count; ++i) out.set(i, shared_[first + i].data());
    return out;
  }

 private:
  static constexpr size_t kMostAgreements = 2 * kHashLanes;
  std::array<X25519Job, kMostAgreements + kHashLanes> jobs_{};
  std::array<Secret, kMostAgreements> shared_;
  std::array<size_t, kMostAgreements> agreed_{};  // their places in jobs_
  size_t count_ = 0, agreements_ = 0;
};

}  // namespace wirelay::crypto
