// Rates and sizes as people write them: "20M", "1.5G", "64000". K, M, G and T are
// powers of 1,000 in either case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

/// A whole number; nullopt for anything that is none after scaling, or above 2^63.
std::optional<uint64_t> parse_scaled(std::string_view text);

/// The shortest text that parse_scaled() reads back as the same number: "1.5G".
std::string scaled_text(uint64_t value);

}  // namespace wirelay::ctrl
