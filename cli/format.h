// Numbers and tables for people.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace wirelay::cli {

std::string bytes_text(uint64_t bytes);       // "1.2 GB"
std::string count_text(uint64_t n);           // "1,234,567"
std::string duration_text(uint64_t seconds);  // "2 d 3 h"
/// "3 min ago"; "never" for 0.
std::string ago_text(uint64_t unix_seconds, uint64_t now_unix_seconds);
/// The API's "20M" as "20 Mbit/s" or "20 Mpacket/s"; "unlimited" stays.
std::string rate_text(std::string_view api_text, std::string_view unit);

/// Control characters replaced, so that what comes over the socket cannot drive a terminal.
std::string printable(std::string_view text);

/// Columns as wide as their widest cell. Cells of a column whose title begins with '>' stand right.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

/// "Name:   value" lines with the values in one column; long values go on in further lines.
class Facts {
 public:
  void add(std::string name, std::string value) {
    lines_.emplace_back(std::move(name), std::move(value));
  }
  void print(std::ostream& out) const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace wirelay::cli
