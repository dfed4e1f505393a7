// Users' limits: for each direction a bit rate and a packet rate, over all of the user's peers and
// all workers together. A GCRA each (ITU-T I.371): one atomic word of state, no lock, no refill.
//
// Limits are written by the control thread and hold from the next packet on; the state is written
// by workers and survives a change of the limits.
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/tables/lazy_array.h"

namespace wirelay::dataplane {

inline constexpr uint64_t kUnlimited = 0;

/// As operators write them. 0 is unlimited; a configured rate of zero is refused earlier.
struct DirectionLimits {
  uint64_t bits_per_second = kUnlimited;
  uint64_t burst_bytes = 0;  // 0: a tenth of a second at the rate, at least 32 KiB
  uint64_t packets_per_second = kUnlimited;  // its burst: a tenth of a second, at least 32 packets
  bool operator==(const DirectionLimits&) const = default;
};
struct UserLimits {
  DirectionLimits up;    // from the user
  DirectionLimits down;  // to the user
  bool operator==(const UserLimits&) const = default;
};

/// One rate. Time is counted in units of 1/64 ns since the table was made (wraps after 9 years).
struct Gcra {
  std::atomic<uint64_t> arrival;     // theoretical arrival time; any worker, compare-and-swap
  std::atomic<uint64_t> cost;        // time one byte or packet takes, times 2^20; 0: unlimited.
                                     // control thread
  std::atomic<uint64_t> tolerance;   // how far `arrival` may run ahead of now; control thread
};

/// Outcome of policing one packet.
enum class Police : uint8_t { kPass, kOverBits, kOverPackets };

struct Policer {
  Gcra bits;
  Gcra packets;

  /// True when no rate is set: the caller may skip police().
  [[nodiscard]] bool unlimited() const noexcept {
    return bits.cost.load(std::memory_order_relaxed) == 0 &&
           packets.cost.load(std::memory_order_relaxed) == 0;
  }
  /// Takes `bytes` and one packet at `now` (units of 1/64 ns) when both rates allow; takes nothing
  /// when either does not. Any thread.
  Police police(uint64_t now, uint32_t bytes) noexcept;
};

struct alignas(64) User {
  Policer up, down;
  std::atomic<uint64_t> dropped_up, dropped_down;  // packets over the limit; any worker
};
static_assert(sizeof(User) == 128);

class UserTable {
 public:
  /// `tsc_hz`: the TSC's frequency, with which police times are derived from TSC readings.
  UserTable(uint32_t capacity, uint64_t tsc_hz);
  [[nodiscard]] uint32_t capacity() const noexcept { return static_cast<uint32_t>(users_.size()); }
  User& operator[](uint32_t number) noexcept { return users_[number]; }

  /// TSC reading to policer time. Any thread.
  [[nodiscard]] uint64_t time(uint64_t tsc) const noexcept {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(tsc) * scale_ >> 32);
  }

  // Control thread only.
  /// Enters limits; the next packet is judged by them. The state goes on.
  void set_limits(uint32_t number, const UserLimits& limits) noexcept;
  /// For a new user in this number: no debt, no counts.
  void reset(uint32_t number, uint64_t now) noexcept;

 private:
  LazyArray<User> users_;
  uint64_t scale_;  // (64e9 << 32) / tsc_hz
};

}  // namespace wirelay::dataplane
