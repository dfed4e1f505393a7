// What another WireGuard server's files say of it and of its clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wirelay::cli {

struct ImportedPeer {
  std::string name;           // as the file has it, any text; "": none
  std::string public_key;     // base64, right
  std::string preshared_key;  // the same; "": none
  std::vector<std::string> allowed_ips;
  std::string endpoint;  // address:port; "": none
  uint16_t keepalive = 0;
  bool enabled = true;
};

struct ImportedServer {
  std::string private_key;  // base64, right; "": none
  std::optional<uint16_t> port;
  std::vector<std::string> addresses;  // its own, inside the tunnel, without the network's length
  std::vector<std::string> dns;        // for clients
  std::vector<ImportedPeer> peers;
  std::vector<std::string> left_out;  // what has no counterpart in a relay, in words
};

/// The text of a file as its readers want it: without a byte order mark.
inline std::string_view without_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

}  // namespace wirelay::cli
