// Units, ages, columns.
#include "cli/format.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace wirelay::cli {

namespace {

constexpr size_t kLineColumns = 100;
constexpr uint64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;

void pad(std::ostream& out, size_t n) { out << std::string(n, ' '); }

/// "2 d 3 h" of 2 days and 3 hours; the smaller part only when it is not zero.
std::string two_parts(uint64_t seconds, uint64_t large, const char* large_unit, uint64_t small,
                      const char* small_unit) {
  std::string text = std::to_string(seconds / large) + ' ' + large_unit;
  if (const uint64_t rest = seconds % large / small; rest != 0) {
    text += ' ' + std::to_string(rest) + ' ' + small_unit;
  }
  return text;
}

/// Columns that `text` takes on a terminal: the bytes that begin a UTF-8 character.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// `text` with line breaks at blanks, for what stands `indent` columns from the left.
std::string wrapped(const std::string& text, size_t indent) {
  const size_t room = kLineColumns - std::min(indent, kLineColumns / 2);
  std::string result;
  size_t begin = 0;
  while (text.size() - begin > room) {
    const size_t blank = text.rfind(' ', begin + room);
    if (blank == std::string::npos || blank <= begin) break;
    result += text.substr(begin, blank - begin) + '\n' + std::string(indent, ' ');
    begin = blank + 1;
  }
  return result + text.substr(begin);
}

}  // namespace

std::string bytes_text(uint64_t bytes) {
  static constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  // Above 999.95 the one decimal would round up to 1000.0.
  while (value >= (unit == 0 ? 1000.0 : 999.95) && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string count_text(uint64_t n) {
  std::string text = std::to_string(n);
  for (size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string duration_text(uint64_t seconds) {
  if (seconds >= kDay) return two_parts(seconds, kDay, "d", kHour, "h");
  if (seconds >= kHour) return two_parts(seconds, kHour, "h", kMinute, "min");
  if (seconds >= kMinute) return two_parts(seconds, kMinute, "min", 1, "s");
  return std::to_string(seconds) + " s";
}

std::string ago_text(uint64_t unix_seconds, uint64_t now_unix_seconds) {
  if (unix_seconds == 0) return "never";
  const uint64_t age = now_unix_seconds > unix_seconds ? now_unix_seconds - unix_seconds : 0;
  if (age < kMinute) return std::to_string(age) + " s ago";
  if (age < kHour) return std::to_string(age / kMinute) + " min ago";
  if (age < kDay) return two_parts(age, kHour, "h", kMinute, "min") + " ago";
  return two_parts(age, kDay, "d", kHour, "h") + " ago";
}

std::string rate_text(std::string_view api_text, std::string_view unit) {
  const size_t digits = api_text.find_first_not_of("0123456789.");
  if (digits == 0) return std::string(api_text);
  std::string text(api_text.substr(0, digits));
  text += ' ';
  if (digits != std::string_view::npos) {
    const char scale = api_text[digits];
    text += scale == 'K' ? 'k' : scale;
  }
  return text.append(unit);
}

std::string printable(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(
      result, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return result;
}

void Table::print(std::ostream& out) const {
  std::vector<size_t> widths;
  std::vector<bool> right;
  std::vector<std::string> titles = titles_;
  for (std::string& title : titles) {
    right.push_back(title.starts_with('>'));
    if (right.back()) title.erase(0, 1);
    widths.push_back(width_of(title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const size_t space = widths[i] - width_of(cells[i]);
      if (right[i]) pad(out, space);
      out << printable(cells[i]);
      if (i + 1 < cells.size()) pad(out, (right[i] ? 0 : space) + 2);
    }
    out << '\n';
  };
  line(titles);
  for (const auto& row : rows_) line(row);
}

void Facts::print(std::ostream& out) const {
  size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, width_of(name));
  for (const auto& [name, value] : lines_) {
    out << name << ':';
    pad(out, width - width_of(name) + 2);
    out << wrapped(printable(value), width + 3) << '\n';
  }
}

}  // namespace wirelay::cli
