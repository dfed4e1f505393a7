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
