// What the values of a field look like: in JSON, on a command line, in a message. All of them are
// numbers to the relay, 64 bits each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <json/value.h>

namespace wirelay::ctrl {

enum class ValueForm : uint8_t {
  kScaled,  // a number, or a text such as "20M"
  kWhole,   // a number
  kSwitch,  // true or false
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

/// From JSON; 0 for the text that stands for it. On failure returns nothing and says in `message`
/// what was found and what is expected.
std::optional<uint64_t> parse_value(const Json::Value& value, const FieldKind& kind,
                                    std::string& message);
/// What parse_value() reads back as the same.
Json::Value value_json(uint64_t value, const FieldKind& kind);

}  // namespace wirelay::ctrl
