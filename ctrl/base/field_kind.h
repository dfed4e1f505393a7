// What the values of a field look like: in JSON, on a command line, in a message. All of them are
// numbers to the relay, 64 bits each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <json/value.h>

#include "ctrl/base/group_name.h"
#include "ctrl/base/moment.h"
#include "ctrl/base/period.h"
#include "ctrl/base/time_zone.h"

namespace wirelay::ctrl {

enum class ValueForm : uint8_t {
  kScaled,  // a number, or a text such as "20M"
  kWhole,   // a number
  kSwitch,  // true or false
  kWord,    // one of some texts, by its place among them
  kText,    // a text of a form of its own
};

/// Texts that stand for numbers.
struct TextForm {
  std::optional<uint64_t> (*parse)(std::string_view text);
  std::string (*write)(uint64_t value);
  std::string_view pattern;  // a regular expression, for the schema
};

struct FieldKind {
  std::string_view name;  // in the configuration's schema
  ValueForm form;
  std::string_view unit;  // what is counted, for messages
  uint64_t least, most;
  std::string_view example;
  std::string_view open;      // the text that stands for 0: "unlimited"
  bool silent_open;           // and is not written: where it says nothing
  std::string_view argument;  // of a relayctl option: "RATE"
  std::string_view shown;     // the unit behind a scaled number in tables: "bit/s"
  std::span<const std::string_view> words = {};  // the first stands for 0
  TextForm text = {};
};

inline constexpr FieldKind kBitRate{
    "bit_rate", ValueForm::kScaled, "bits a second", 1'000,  1'000'000'000'000,
    "20M",      "unlimited",        false,           "RATE", "bit/s"};
inline constexpr FieldKind kPacketRate{"packet_rate",
                                       ValueForm::kScaled,
                                       "packets a second",
                                       1,
                                       1'000'000'000,
                                       "10K",
                                       "unlimited",
                                       false,
                                       "RATE",
                                       "packet/s"};
inline constexpr FieldKind kBurst{"burst", ValueForm::kScaled, "bytes", 2'000,   1'000'000'000,
                                  "256K",  "default",          true,    "BYTES", ""};
inline constexpr FieldKind kPeerCount{"peer_count",
                                      ValueForm::kWhole,
                                      "a whole number",
                                      1,
                                      1'000'000,
                                      "3",
                                      "unlimited",
                                      false,
                                      "N",
                                      ""};
inline constexpr FieldKind kSwitch{"switch", ValueForm::kSwitch, "", 0, 1, "", "", false, "", ""};

// What most users don't have is not written for them.
inline constexpr FieldKind kByteCount{
    "quota_bytes", ValueForm::kScaled, "bytes", 1,       1'000'000'000'000'000'000,
    "10G",         "unlimited",        true,    "BYTES", "B"};
/// In the order of dataplane::QuotaCounts.
inline constexpr std::array<std::string_view, 4> kCountsWords = {"both", "up", "down", "each"};
inline constexpr FieldKind kCounted{"quota_counts", ValueForm::kWord, "", 0,           3, "", "",
                                    true,           "WHAT",           "", kCountsWords};
inline constexpr FieldKind kPeriod{
    "quota_period",
    ValueForm::kText,
    "a period (day, week, month, up to 366 days)",
    1,
    kMonth,
    "30d",
    "none",
    true,
    "PERIOD",
    "",
    {},
    {parse_period, period_text, "^(none|day|week|month|[0-9]+(d| days?))$"}};
inline constexpr FieldKind kTimeZone{"time_zone",
                                     ValueForm::kText,
                                     "the IANA name of a time zone",
                                     1,
                                     UINT16_MAX,
                                     "Europe/Berlin",
                                     "UTC",
                                     true,
                                     "ZONE",
                                     "",
                                     {},
                                     {zone_number, zone_name, "^[A-Za-z0-9_+/-]+$"}};
inline constexpr FieldKind kDate{
    "date",     ValueForm::kText,
    "a date",   kLeastDate,
    kMostDate,  "2027-01-31",
    "calendar", true,
    "DATE",     "",
    {},         {parse_date, date_text, "^([0-9]{4}-[0-9]{2}-[0-9]{2}|calendar)$"}};
inline constexpr std::array<std::string_view, 2> kQuotaEndWords = {"block", "throttle"};
inline constexpr uint64_t kThrottleAtEnd = 1;
inline constexpr FieldKind kAtEnd{"quota_end", ValueForm::kWord, "", 0, 1, "", "", true, "WHAT",
                                  "",          kQuotaEndWords};
inline constexpr FieldKind kThrottleRate{"throttle_rate",
                                         ValueForm::kScaled,
                                         "bits a second",
                                         1'000,
                                         1'000'000'000'000,
                                         "1M",
                                         "none",
                                         true,
                                         "RATE",
                                         "bit/s"};
inline constexpr FieldKind kMoment{
    "moment",
    ValueForm::kText,
    "a moment or a date",
    kLeastMoment,
    kMostMoment,
    "2027-01-31T00:00:00Z",
    "never",
    true,
    "WHEN",
    "",
    {},
    {parse_moment, moment_text,
     "^([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2}))?|never)$"}};
inline constexpr FieldKind kDayCount{"day_count",
                                     ValueForm::kWhole,
                                     "a whole number of days",
                                     1,
                                     36'500,
                                     "30",
                                     "never",
                                     true,
                                     "DAYS",
                                     ""};
inline constexpr FieldKind kSessionCount{"session_count",
                                         ValueForm::kWhole,
                                         "a whole number",
                                         1,
                                         1'000'000,
                                         "1",
                                         "unlimited",
                                         true,
                                         "N",
                                         ""};
inline constexpr std::array<std::string_view, 2> kExcessWords = {"refuse", "replace"};
inline constexpr uint64_t kReplaceOldest = 1;
inline constexpr FieldKind kExcess{"on_excess", ValueForm::kWord, "", 0,           1, "", "",
                                   true,        "WHAT",           "", kExcessWords};
inline constexpr FieldKind kGroupName{"group",
                                  ValueForm::kText,
                                  "1 to 12 of a to z, digits and -",
                                  1,
                                  kMostGroup,
                                  "staff",
                                  "none",
                                  true,
                                  "GROUP",
                                  "",
                                  {},
                                  {parse_group, group_text, "^[a-z0-9-]{1,12}$"}};
inline constexpr FieldKind kNatBlockCount{
    "nat_block_count", ValueForm::kWhole, "a whole number", 1, 8, "2", "default", true, "N", ""};
inline constexpr FieldKind kNatFlowCount{"nat_flow_count",
                                         ValueForm::kWhole,
                                         "a whole number",
                                         1,
                                         65'535,
                                         "500",
                                         "default",
                                         true,
                                         "N",
                                         ""};

/// From JSON; 0 for the text that stands for it. On failure returns nothing and says in `message`
/// what was found and what is expected.
std::optional<uint64_t> parse_value(const Json::Value& value, const FieldKind& kind,
                                    std::string& message);
/// What parse_value() reads back as the same.
Json::Value value_json(uint64_t value, const FieldKind& kind);

}  // namespace wirelay::ctrl
