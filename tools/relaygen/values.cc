// Reading option values.
#include "tools/relaygen/values.h"

#include <charconv>

#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

constexpr double kHighestRate = 1e12;

[[noreturn]] void refuse(std::string_view option, const std::string& text,
                         const std::string& expected) {
  throw UsageError("--" + std::string(option) + ": \"" + text + "\" is not valid; expected " +
                   expected);
}

/// The number that is all of `text`.
template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string brief(double value) {
  char text[32];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6);
  return {text, end};
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> items;
  for (size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1)) {
    items.emplace_back(text.substr(0, end));
  }
  items.emplace_back(text);
  return items;
}

uint64_t parse_count(std::string_view option, const std::string& text, uint64_t least,
                     uint64_t greatest) {
  const auto value = number<uint64_t>(text);
  if (!value || *value < least || *value > greatest) {
    refuse(option, text,
           "a whole number from " + std::to_string(least) + " to " + std::to_string(greatest));
  }
  return *value;
}

double parse_number(std::string_view option, const std::string& text, double least,
                    double greatest) {
  const auto value = number<double>(text);
  if (!value || !(*value >= least && *value <= greatest)) {
    refuse(option, text, "a number from " + brief(least) + " to " + brief(greatest));
  }
  return *value;
}

std::optional<Rate> parse_rate(std::string_view option, const std::string& text) {
  if (text == "max") return std::nullopt;
  std::string_view rest = text;
  Rate rate;
  if (rest.ends_with("bit")) {
    rate.in_bits = true;
    rest.remove_suffix(3);
  }
  double unit = 1;
  if (rest.ends_with('K')) unit = 1e3;
  if (rest.ends_with('M')) unit = 1e6;
  if (rest.ends_with('G')) unit = 1e9;
  if (unit > 1) rest.remove_suffix(1);
  const auto value = number<double>(rest);
  rate.value = value.value_or(0) * unit;
  if (!(rate.value > 0 && rate.value <= kHighestRate)) {
    refuse(option, text,
           "packets a second such as 250000 or 1.5M, bits such as 10Gbit, or max; up to 1000G");
  }
  return rate;
}

rte_ether_addr parse_mac(std::string_view option, const std::string& text) {
  rte_ether_addr mac;
  if (rte_ether_unformat_addr(text.c_str(), &mac) != 0) {
    refuse(option, text, "a MAC address such as 02:00:00:00:00:01");
  }
  return mac;
}

dataplane::IpAddr parse_address(std::string_view option, const std::string& text) {
  const auto addr = dataplane::parse_ip(text);
  if (!addr) refuse(option, text, "an IPv4 or IPv6 address");
  return *addr;
}

dataplane::Prefix parse_network(std::string_view option, const std::string& text) {
  const auto prefix = dataplane::parse_prefix(text);
  if (!prefix) refuse(option, text, "a prefix such as 10.64.0.0/10 or fd77::/64");
  return *prefix;
}

Interface parse_interface(std::string_view option, const std::string& text) {
  const auto addr = dataplane::parse_ip(std::string_view(text).substr(0, text.find('/')));
  const auto network = dataplane::parse_prefix(text);
  if (!addr || !network || text.find('/') == text.npos) {
    refuse(option, text, "an address with its prefix length, such as 192.0.2.1/24");
  }
  return {*addr, *network};
}

}  // namespace wirelay::relaygen
