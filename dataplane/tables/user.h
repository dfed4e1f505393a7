// Users' limits: for each direction a bit rate and a packet rate, over all of the user's peers and
// all workers together. A GCRA each (ITU-T I.371): one atomic word of state, no lock, no refill.
//
// Limits are written by the control thread and hold from the next packet on; the state is written
// by workers and survives a change of the limits.
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/tables/lazy_array.h"
#include "dataplane/uint128.h"

namespace wirelay::dataplane {

inline constexpr uint64_t kUnlimited = 0;

/// A smaller burst would never let a large packet pass.
inline constexpr uint64_t kMinBurstBytes = 9216;

/// The default burst: a quarter of a second. TCP that loses the end of its window is silent for its
/// smallest timeout, 200 ms (Linux; RFC 6298 has a second): a bucket that overflows meanwhile
/// wastes the rate, and one connection over a short path would reach half of it.
inline constexpr uint64_t kBurstPart = 4;

/// As operators write them. 0 is unlimited; a configured rate of zero is refused earlier.
struct DirectionLimits {
  uint64_t bits_per_second = kUnlimited;
  uint64_t burst_bytes = 0;  // 0: kBurstPart of a second at the rate, at least 32 KiB. Less than
                             // kMinBurstBytes counts as that
  uint64_t packets_per_second = kUnlimited;  // its burst: kBurstPart, at least 32 packets
  bool operator==(const DirectionLimits&) const = default;
};
struct UserLimits {
  DirectionLimits up;    // from the user
  DirectionLimits down;  // to the user
  bool operator==(const UserLimits&) const = default;
};

/// Policer time: units of 1/1024 ns since the TSC started, modulo 2^64 (208 days).
inline constexpr uint64_t kPoliceHz = 1024ull * 1'000'000'000;

/// One rate. A packet that costs c passes when max(arrival, now) + c <= now + tolerance, and that
/// sum is then the new arrival: a bucket of `tolerance` that fills with time. An arrival further
/// ahead than limits ever let it come is one of long ago, before time wrapped: the bucket is full.
struct Gcra {
  std::atomic<uint64_t> arrival;    // theoretical arrival time; any worker, compare-and-swap;
                                    // control thread: only to cut a debt down to new limits
  std::atomic<uint64_t> cost;       // time one byte or packet takes, times 2^20; 0: unlimited.
                                    // control thread
  std::atomic<uint64_t> tolerance;  // time: the depth of the bucket. control thread
};

/// Outcome of policing one packet.
enum class Police : uint8_t { kPass, kOverBits, kOverPackets };

/// Both rates of one direction.
struct Policer {
  Gcra bits;
  Gcra packets;

  /// True when no rate is set.
  [[nodiscard]] bool unlimited() const noexcept {
    return bits.cost.load(std::memory_order_relaxed) == 0 &&
           packets.cost.load(std::memory_order_relaxed) == 0;
  }
  /// Takes `bytes` and one packet at `now` (policer time) when both rates allow; takes nothing
  /// when either does not. Any thread. The charge of a packet is rounded to a unit of time: over
  /// packets of 64 bytes at 100 Gbit/s that is less than 0.01 %.
  Police police(uint64_t now, uint32_t bytes) noexcept;
};

/// In which directions a user has any limit (bits of UserTable::limited()).
inline constexpr uint8_t kLimitedUp = 1;
inline constexpr uint8_t kLimitedDown = 2;

/// One cache line for each direction.
struct alignas(64) User {
  Policer up;
  std::atomic<uint64_t> dropped_up;  // packets over the limit; any worker
  alignas(64) Policer down;
  std::atomic<uint64_t> dropped_down;
};
static_assert(sizeof(User) == 128);

class UserTable {
 public:
  /// `tsc_hz`: the TSC's frequency, with which police times are derived from TSC readings.
  UserTable(uint32_t capacity, uint64_t tsc_hz);
  [[nodiscard]] uint32_t capacity() const noexcept { return static_cast<uint32_t>(users_.size()); }
  User& operator[](uint32_t number) noexcept { return users_[number]; }

  /// kLimitedUp, kLimitedDown or both. Any thread. A byte each: who has no limits is told from the
  /// cache, and nothing of the user's record is fetched.
  [[nodiscard]] uint8_t limited(uint32_t number) const noexcept {
    return limited_[number].load(std::memory_order_relaxed);
  }

  /// TSC reading to policer time. Any thread.
  [[nodiscard]] uint64_t time(uint64_t tsc) const noexcept {
    return static_cast<uint64_t>(static_cast<Uint128>(tsc) * scale_ >> 32);
  }

  // Control thread only. `now`: policer time.
  /// Enters limits; the next packet is judged by them. The state goes on: what the user has taken
  /// stays taken, but a debt is never deeper than the new burst, so that a faster rate holds at
  /// once. A rate that was unlimited starts with a full burst.
  void set_limits(uint32_t number, const UserLimits& limits, uint64_t now) noexcept;
  /// For a new user in this number: no debt, no counts.
  void reset(uint32_t number, uint64_t now) noexcept;

 private:
  LazyArray<User> users_;
  LazyArray<std::atomic<uint8_t>> limited_;  // written by the control thread
  uint64_t scale_;                           // (kPoliceHz << 32) / tsc_hz
};

}  // namespace wirelay::dataplane
