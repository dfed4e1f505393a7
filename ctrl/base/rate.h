// Rates and sizes as people write them: "20M", "1.5G", "64000", "unlimited". K, M, G and T are
// powers of 1,000 in either case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <json/value.h>

namespace wirelay::ctrl {

/// What a limit counts, with the values it may have.
struct RateKind {
  std::string_view unit;  // for messages
  uint64_t least, most;
  std::string_view example;
  std::string_view open;  // the text that stands for 0
};
inline constexpr RateKind kBitRate{"bits a second", 1'000, 1'000'000'000'000, "20M", "unlimited"};
inline constexpr RateKind kBurst{"bytes", 2'000, 1'000'000'000, "256K", "default"};
inline constexpr RateKind kPacketRate{"packets a second", 1, 1'000'000'000, "10K", "unlimited"};

/// A whole number; nullopt for anything that is none after scaling, or above 2^63.
std::optional<uint64_t> parse_scaled(std::string_view text);

/// From a JSON number or text; 0 for "unlimited" (for a burst: "default"). On failure returns
/// nothing and says in `message` what was found and what is expected.
std::optional<uint64_t> parse_rate(const Json::Value& value, const RateKind& kind,
                                   std::string& message);

/// The shortest text that parse_scaled() reads back as the same number: "1.5G".
std::string scaled_text(uint64_t value);

}  // namespace wirelay::ctrl
