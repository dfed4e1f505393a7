// Users' limits: for each direction a bit rate and a packet rate, over all of the user's peers and
// all workers together. A GCRA each (ITU-T I.371): one atomic word of state, no lock, no refill.
// And quotas: how many bytes a user may carry until its use is set back.
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
inline constexpr uint64_t kPoliceUnitsPerNs = 1024;
inline constexpr uint64_t kPoliceHz = kPoliceUnitsPerNs * 1'000'000'000;

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

/// What holds for a user: bits of UserTable::flags().
inline constexpr uint8_t kLimitedUp = 1;         // rates, from the user
inline constexpr uint8_t kLimitedDown = 2;       // and to the user
inline constexpr uint8_t kCountedUp = 4;         // a quota counts what comes from the user
inline constexpr uint8_t kCountedDown = 8;       // and what goes to it
inline constexpr uint8_t kCountedTogether = 16;  // both draw on the same bytes
inline constexpr uint8_t kThrottled = 32;  // at the quota's end a rate holds; else nothing passes
inline constexpr uint8_t kEnded = 64;      // its time is over: nothing passes

/// One cache line for each direction.
struct alignas(64) User {
  Policer up;
  std::atomic<uint64_t> dropped_up;  // packets over the limit; any worker
  alignas(64) Policer down;
  std::atomic<uint64_t> dropped_down;
};
static_assert(sizeof(User) == 128);

enum class Way : uint8_t { kUp, kDown };  // from the user, to the user

/// What a quota counts. What it doesn't count is neither charged nor held up at its end.
enum class QuotaCounts : uint8_t { kBoth, kUp, kDown, kEach };  // kEach: either way has all of it

struct QuotaLimits {
  uint64_t bytes = kUnlimited;
  QuotaCounts counts = QuotaCounts::kBoth;
  uint64_t throttle_bits = 0;  // a second, either way, when nothing is left; 0: nothing passes
  bool operator==(const QuotaLimits&) const = default;
};

/// Bytes of inner packets that passed while a quota counted them.
struct QuotaUse {
  uint64_t up = 0, down = 0;
  bool operator==(const QuotaUse&) const = default;
};

/// Line 0 is fetched for users with a quota alone, the policers only when nothing is left.
struct alignas(64) Quota {
  std::atomic<uint64_t> bytes;      // control thread
  std::atomic<uint64_t> used_up;    // any worker adds, the control thread sets back
  std::atomic<uint64_t> used_down;  // the same
  alignas(64) Policer up;           // holds once nothing is left, where kThrottled says so
  alignas(64) Policer down;

  /// Of what counts `way`; not positive when nothing is left. `flags`: the user's.
  [[nodiscard]] int64_t left(Way way, uint8_t flags) const noexcept {
    const uint64_t both =
        used_up.load(std::memory_order_relaxed) + used_down.load(std::memory_order_relaxed);
    const std::atomic<uint64_t>& one = way == Way::kUp ? used_up : used_down;
    const uint64_t used =
        (flags & kCountedTogether) != 0 ? both : one.load(std::memory_order_relaxed);
    return static_cast<int64_t>(bytes.load(std::memory_order_relaxed) - used);
  }
  void charge(Way way, uint64_t used) noexcept {
    (way == Way::kUp ? used_up : used_down).fetch_add(used, std::memory_order_relaxed);
  }
  [[nodiscard]] QuotaUse use() const noexcept {
    return {used_up.load(std::memory_order_relaxed), used_down.load(std::memory_order_relaxed)};
  }
};
static_assert(sizeof(Quota) == 192);

class UserTable {
 public:
  /// `tsc_hz`: the TSC's frequency, with which police times are derived from TSC readings.
  UserTable(uint32_t capacity, uint64_t tsc_hz);
  [[nodiscard]] uint32_t capacity() const noexcept { return static_cast<uint32_t>(users_.size()); }
  User& operator[](uint32_t number) noexcept { return users_[number]; }

  Quota& quota(uint32_t number) noexcept { return quotas_[number]; }

  /// What holds for the user, in bits of above. Any thread. A byte each: who has no limits is told
  /// from the cache, and nothing of the user's records is fetched.
  [[nodiscard]] uint8_t flags(uint32_t number) const noexcept {
    return flags_[number].load(std::memory_order_relaxed);
  }

  /// Which group it belongs to; 0: none. Any thread.
  [[nodiscard]] uint64_t group(uint32_t number) const noexcept {
    return groups_[number].load(std::memory_order_relaxed);
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
  /// Enters a quota, as limits. What was used stays used.
  void set_quota(uint32_t number, const QuotaLimits& limits, uint64_t now) noexcept;
  /// Has the user's quota begin anew; returns what was used of it.
  QuotaUse take_use(uint32_t number) noexcept;
  /// Counts what was used before, as if it had passed now.
  void add_use(uint32_t number, const QuotaUse& use) noexcept;
  void set_group(uint32_t number, uint64_t group) noexcept {
    groups_[number].store(group, std::memory_order_relaxed);
  }
  /// Lets no packet of the user pass from now on, or lets them pass again.
  void set_ended(uint32_t number, bool ended) noexcept;
  /// For a new user in this number: no debt, no counts, no quota.
  void reset(uint32_t number, uint64_t now) noexcept;

 private:
  /// Of `mask` those bits hold that are in `bits`.
  void set_flags(uint32_t number, uint8_t mask, uint8_t bits) noexcept;

  LazyArray<User> users_;
  LazyArray<Quota> quotas_;
  LazyArray<std::atomic<uint8_t>> flags_;    // written by the control thread
  LazyArray<std::atomic<uint64_t>> groups_;  // written by the control thread
  uint64_t scale_;                           // (kPoliceHz << 32) / tsc_hz
};

}  // namespace wirelay::dataplane
