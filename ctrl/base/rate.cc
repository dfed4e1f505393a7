// Scaled numbers, exact: no floating point, so that what is printed reads back as the same.
#include "ctrl/base/rate.h"

#include <cctype>
#include <limits>

#include <fmt/core.h>

namespace wirelay::ctrl {

namespace {

constexpr std::string_view kUnits = "KMGT";
constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();

uint64_t power_of_thousand(size_t n) {
  uint64_t power = 1;
  for (; n > 0; --n) power *= 1000;
  return power;
}

/// Digits to a number; nullopt for anything else, or too much.
std::optional<uint64_t> digits(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || number > kMost / 10 - 1) return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

std::optional<uint64_t> parse_scaled(std::string_view text) {
  size_t power = 0;
  if (!text.empty()) {
    const auto last = static_cast<char>(std::toupper(static_cast<unsigned char>(text.back())));
    if (const size_t unit = kUnits.find(last); unit != std::string_view::npos) {
      power = unit + 1;
      text.remove_suffix(1);
    }
  }
  const size_t point = text.find('.');
  const auto whole = digits(text.substr(0, point));
  const uint64_t scale = power_of_thousand(power);
  if (!whole || *whole >= kMost / scale) return std::nullopt;
  if (point == std::string_view::npos) return *whole * scale;
  const std::string_view fraction_text = text.substr(point + 1);
  const auto fraction = digits(fraction_text);
  if (!fraction || fraction_text.size() > 12) return std::nullopt;
  uint64_t divisor = 1;
  for (size_t i = 0; i < fraction_text.size(); ++i) divisor *= 10;
  // Both are powers of ten, so one divides the other.
  if (divisor <= scale) return *whole * scale + *fraction * (scale / divisor);
  if (*fraction % (divisor / scale) != 0) return std::nullopt;
  return *whole * scale + *fraction / (divisor / scale);
}

std::string scaled_text(uint64_t value) {
  for (size_t power = kUnits.size(); power > 0; --power) {
    const uint64_t scale = power_of_thousand(power);
    if (value < scale || value % (scale / 1000) != 0) continue;
    std::string text = std::to_string(value / scale);
    if (const uint64_t rest = value % scale / (scale / 1000); rest != 0) {
      text += fmt::format(".{:03}", rest);
      while (text.back() == '0') text.pop_back();
    }
    return text += kUnits[power - 1];
  }
  return std::to_string(value);
}

}  // namespace wirelay::ctrl
