// Text forms of addresses, prefixes and endpoints, and what kind of address one is.
#include "dataplane/ip.h"

#include <charconv>

#include <endian.h>

namespace wirelay::dataplane {

namespace {

/// A decimal number that is all of `text` and at most `greatest`.
std::optional<unsigned> parse_number(std::string_view text, unsigned greatest) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || value > greatest) return std::nullopt;
  return value;
}

/// The first `bits` (0 to 64) of a word set, as they lie in memory.
uint64_t leading_bits(unsigned bits) noexcept {
  return bits == 0 ? 0 : htobe64(~uint64_t{0} << (64 - bits));
}

}  // namespace

bool IpAddr::is_unspecified() const noexcept {
  return is_v4() ? v4_be() == 0 : bytes == std::array<uint8_t, 16>{};
}

bool IpAddr::is_multicast() const noexcept {
  if (!is_v4()) return bytes[0] == 0xff;                       // RFC 4291, 2.7
  return (bytes[12] & 0xf0) == 0xe0 || v4_be() == 0xffffffff;  // RFC 5771, RFC 919
}

bool IpAddr::is_link_local() const noexcept {
  if (!is_v4()) return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;  // RFC 4291, 2.5.6
  return bytes[12] == 169 && bytes[13] == 254;                         // RFC 3927
}

std::optional<IpAddr> parse_ip(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.find('\0') != text.npos) return std::nullopt;
  copy[text.copy(copy, sizeof copy - 1)] = '\0';
  uint8_t raw[16];
  if (inet_pton(AF_INET, copy, raw) == 1) return IpAddr::v4(raw);
  if (inet_pton(AF_INET6, copy, raw) != 1) return std::nullopt;
  const IpAddr addr = IpAddr::v6(raw);
  if (addr.is_v4()) return std::nullopt;  // a mapped address
  return addr;
}

std::string to_string(const IpAddr& addr) {
  char text[INET6_ADDRSTRLEN];
  if (addr.is_v4()) {
    inet_ntop(AF_INET, &addr.bytes[12], text, sizeof text);
  } else {
    inet_ntop(AF_INET6, addr.bytes.data(), text, sizeof text);
  }
  return text;
}

IpAddr mask_to(const IpAddr& addr, uint8_t length) noexcept {
  uint64_t words[2];
  std::memcpy(words, addr.bytes.data(), sizeof words);
  words[0] &= leading_bits(length < 64 ? length : 64);
  words[1] &= leading_bits(length < 64 ? 0 : length - 64);
  return IpAddr::v6(words);
}

bool Prefix::contains(const IpAddr& other) const noexcept {
  return is_v4() == other.is_v4() && mask_to(other, length) == addr;
}

bool Prefix::overlaps(const Prefix& other) const noexcept {
  if (is_v4() != other.is_v4()) return false;
  const uint8_t shorter = length < other.length ? length : other.length;
  return mask_to(addr, shorter) == mask_to(other.addr, shorter);
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddr> addr = parse_ip(text.substr(0, slash));
  if (!addr) return std::nullopt;
  unsigned length = 128;
  if (slash != text.npos) {
    const auto written = parse_number(text.substr(slash + 1), addr->is_v4() ? 32 : 128);
    if (!written) return std::nullopt;
    length = *written + (addr->is_v4() ? 96 : 0);
  }
  return Prefix{mask_to(*addr, static_cast<uint8_t>(length)), static_cast<uint8_t>(length)};
}

std::string to_string(const Prefix& prefix) {
  const int length = prefix.length - (prefix.is_v4() ? 96 : 0);
  return to_string(prefix.addr) + '/' + std::to_string(length);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto addr = parse_ip(host);
  const auto port = parse_number(text.substr(colon + 1), 65535);
  if (!addr || addr->is_v4() == bracketed || !port || *port == 0) return std::nullopt;
  return Endpoint{*addr, static_cast<uint16_t>(*port)};
}

std::string to_string(const Endpoint& endpoint) {
  const std::string host = to_string(endpoint.addr);
  const std::string port = std::to_string(endpoint.port);
  return endpoint.addr.is_v4() ? host + ':' + port : '[' + host + "]:" + port;
}

}  // namespace wirelay::dataplane
