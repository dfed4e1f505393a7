// Line by line: a key of the device, or of the peer whose public key came last.
#include "ctrl/wg/request.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "ctrl/base/problem.h"

namespace wirelay::ctrl::wg {

namespace {

std::optional<crypto::Bytes32> parse_hex(std::string_view text) {
  crypto::Bytes32 key{};
  if (text.size() != 2 * key.size()) return std::nullopt;
  for (size_t i = 0; i < key.size(); ++i) {
    const char* at = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(at, at + 2, key[i], 16);
    if (error != std::errc() || end != at + 2) return std::nullopt;
  }
  return key;
}

class RequestReader {
 public:
  DeviceRequest read(std::string_view text) {
    while (!text.empty()) {
      ++line_;
      const size_t end = std::min(text.find('\n'), text.size());
      take(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(request_);
  }

 private:
  [[noreturn]] void fail(std::string_view key, const char* expected) const {
    throw Refused(fmt::format("wg, line {}", line_), fmt::format("{}: expected {}", key, expected));
  }

  void take(std::string_view line) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) fail("a line", "key=value");
    const std::string_view key = line.substr(0, equals), value = line.substr(equals + 1);
    if (key == "public_key") {
      request_.peers.emplace_back().public_key = read_key(key, value);
    } else if (request_.peers.empty()) {
      set_device(key, value);
    } else {
      set_peer(request_.peers.back(), key, value);
    }
  }

  void set_device(std::string_view key, std::string_view value) {
    if (key == "private_key") {
      request_.private_key = crypto::Secret(read_key(key, value));
    } else if (key == "listen_port") {
      request_.listen_port = static_cast<uint16_t>(read_number(key, value, UINT16_MAX));
    } else if (key == "fwmark") {
      request_.mark = static_cast<uint32_t>(read_number(key, value, UINT32_MAX));
    } else if (key == "replace_peers") {
      request_.replace_peers = read_true(key, value);
    } else {
      fail("a line", "a key of the interface");
    }
  }

  void set_peer(PeerRequest& peer, std::string_view key, std::string_view value) {
    if (key == "preshared_key") {
      peer.preshared_key = crypto::Secret(read_key(key, value));
    } else if (key == "endpoint") {
      peer.endpoint = dataplane::parse_endpoint(value);
      if (!peer.endpoint || peer.endpoint->port == 0) fail(key, "an address and a port");
    } else if (key == "persistent_keepalive_interval") {
      peer.keepalive = static_cast<uint16_t>(read_number(key, value, UINT16_MAX));
    } else if (key == "allowed_ip") {
      const auto prefix = dataplane::parse_prefix(value);
      if (!prefix) fail(key, "a prefix");
      peer.allowed_ips.push_back(*prefix);
    } else if (key == "remove") {
      peer.remove = read_true(key, value);
    } else if (key == "update_only") {
      peer.update_only = read_true(key, value);
    } else if (key == "replace_allowed_ips") {
      peer.replace_allowed_ips = read_true(key, value);
    } else if (key == "protocol_version") {
      if (value != "1") fail(key, "1");
    } else {
      fail("a line", "a key of the interface");
    }
  }

  crypto::Bytes32 read_key(std::string_view key, std::string_view value) const {
    const auto bytes = parse_hex(value);
    if (!bytes) fail(key, "64 hexadecimal digits");
    return *bytes;
  }
  uint64_t read_number(std::string_view key, std::string_view value, uint64_t most) const {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number > most) {
      fail(key, "a whole number");
    }
    return number;
  }
  bool read_true(std::string_view key, std::string_view value) const {
    if (value != "true") fail(key, "true");
    return true;
  }

  DeviceRequest request_;
  size_t line_ = 1;  // "set=1" is the first
};

}  // namespace

DeviceRequest read_request(std::string_view text) { return RequestReader().read(text); }

std::string to_hex(const crypto::Bytes32& key) {
  std::string text;
  for (const uint8_t byte : key) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace wirelay::ctrl::wg
