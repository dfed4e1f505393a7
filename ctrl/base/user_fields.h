// The fields of a user, described once. From this list come: reading and writing of a USER in
// configuration, API and export, changes and the difference of a reload, relayctl's options and
// tables; tests hold the schema and the documents to it. A new field is a line of the enum, a line
// of the list, and what the relay does with its value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ctrl/base/field_kind.h"

namespace wirelay::ctrl {

enum class UserField : uint8_t {
  kUpRate,
  kDownRate,
  kUpPackets,
  kDownPackets,
  kUpBurst,
  kDownBurst,
  kMaxPeers,
  kEnabled,
  kQuotaBytes,
  kQuotaCounts,
  kQuotaPeriod,
  kQuotaSince,
  kQuotaZone,
  kQuotaEnd,
  kQuotaRate,
  kExpires,
  kExpiresAfter,
  kMaxSessions,
  kOnExcess,
  kGroup,
  kNatBlocks,
  kNatFlows,
  kCount
};
inline constexpr size_t kUserFieldCount = static_cast<size_t>(UserField::kCount);

struct UserFieldInfo {
  std::string_view path;  // in a USER
  const FieldKind& kind;
  uint64_t value;           // when it is not named
  std::string_view option;  // of relayctl user add and set; a switch is turned on by it
  std::string_view text;    // of the option
  std::string_view title;   // in relayctl's tables, "" for none; fields of one title share a cell
  std::string_view off_option = {};  // of a switch: turns it off
  std::string_view off_text = {};
};

/// In the order of the enum.
inline constexpr std::array<UserFieldInfo, kUserFieldCount> kUserFields = {{
    {"limits.up.rate", kBitRate, 0, "rate-up", "bits a second from the user", "Limit up"},
    {"limits.down.rate", kBitRate, 0, "rate-down", "bits a second to the user", "Limit down"},
    {"limits.up.packets", kPacketRate, 0, "packets-up", "packets a second from the user",
     "Limit up"},
    {"limits.down.packets", kPacketRate, 0, "packets-down", "packets a second to the user",
     "Limit down"},
    {"limits.up.burst", kBurst, 0, "burst-up", "how much may come at once from the user", ""},
    {"limits.down.burst", kBurst, 0, "burst-down", "how much may come at once to the user", ""},
    {"max_peers", kPeerCount, 0, "max-peers", "most devices, or unlimited", ""},
    {"enabled", kSwitch, 1, "enable", "handshakes and packets again", "", "disable",
     "no handshakes and no packets for this user"},
    {"quota.bytes", kByteCount, 0, "quota", "bytes that the user may carry in a period: 10G",
     "Quota"},
    {"quota.counts", kCounted, 0, "quota-counts",
     "both ways together, up, down, or each for itself", ""},
    {"quota.period", kPeriod, 0, "quota-period", "day, week, month, 30d, or none", "Quota"},
    {"quota.since", kDate, 0, "quota-since",
     "a day on which a period begins: 2027-01-31; calendar: with days, weeks and months", ""},
    {"quota.time_zone", kTimeZone, 0, "quota-zone", "where days begin: Europe/Berlin", ""},
    {"quota.at_end", kAtEnd, 0, "quota-end", "block, or throttle until the period ends", ""},
    {"quota.throttle_rate", kThrottleRate, 0, "quota-rate",
     "bits a second either way when throttled: 1M", ""},
    {"expires", kMoment, 0, "expires", "nothing passes from then on: 2027-01-31T00:00:00Z, never",
     "Expires"},
    {"expires_after", kDayCount, 0, "expires-after",
     "nothing passes so many days after the first handshake, or never", ""},
    {"max_sessions", kSessionCount, 0, "max-sessions",
     "most devices that are connected at once, or unlimited", ""},
    {"on_excess", kExcess, 0, "on-excess",
     "one device too many: refuse it, or replace the one that is connected longest", ""},
    {"group", kGroupName, 0, "group", "which users it belongs to, or none", "Group"},
    {"nat.max_blocks", kNatBlockCount, 0, "nat-blocks", "most blocks of public ports, or default",
     ""},
    {"nat.max_flows", kNatFlowCount, 0, "nat-flows", "most flows through NAT, or default", ""},
}};
static_assert(!kUserFields.back().path.empty());

/// An option that stands for two: "rate" for "rate-up" and "rate-down".
struct BothWays {
  std::string_view option;
  std::string_view text;
};
inline constexpr std::array kBothWays = {
    BothWays{"rate", "bits a second both ways: 20M, 1.5G, unlimited"},
    BothWays{"packets", "packets a second both ways: 10K, unlimited"},
    BothWays{"burst", "how much may come at once, both ways: 256K, default"},
};

constexpr const UserFieldInfo& info(UserField field) {
  return kUserFields[static_cast<size_t>(field)];
}

}  // namespace wirelay::ctrl
