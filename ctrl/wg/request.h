// What `wg` asks for when it sets something: the text of WireGuard's cross-platform userspace
// interface (https://www.wireguard.com/xplatform/).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/users/model.h"

namespace wirelay::ctrl::wg {

/// One peer of a request, by its key. What is not named stays.
struct PeerRequest {
  crypto::PublicKey public_key{};
  bool remove = false, update_only = false, replace_allowed_ips = false;
  std::optional<crypto::Secret> preshared_key;  // zeros: none
  std::optional<dataplane::Endpoint> endpoint;
  std::optional<uint16_t> keepalive;
  std::vector<dataplane::Prefix> allowed_ips;
};

struct DeviceRequest {
  std::optional<crypto::Secret> private_key;
  std::optional<uint16_t> listen_port;
  std::optional<uint32_t> mark;
  bool replace_peers = false;
  std::vector<PeerRequest> peers;  // in the order of the request; a key may come again
};

/// The lines behind "set=1". Throws Refused with the line, and repeats no key.
DeviceRequest read_request(std::string_view text);

/// 64 digits, as the interface writes keys.
std::string to_hex(const crypto::Bytes32& key);

}  // namespace wirelay::ctrl::wg
