// The fields of a peer, described once, as user_fields.h does for users. What their values are, the
// relay knows by ctrl/users/model.h; a new field is a line of the enum, a line of the list, and a
// member there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wirelay::ctrl {

enum class PeerField : uint8_t {
  kPublicKey,
  kPresharedKey,
  kAllowedIps,
  kEndpoint,
  kKeepalive,
  kCount
};
inline constexpr size_t kPeerFieldCount = static_cast<size_t>(PeerField::kCount);

enum class PeerForm : uint8_t {
  kKey,       // 32 bytes in base64
  kSecret,    // the same, shown only when asked for; relayctl reads it from a file
  kPrefixes,  // a list of prefixes
  kEndpoint,  // "198.51.100.7:51820"
  kSeconds,   // 0 to 65535
};

struct PeerFieldInfo {
  std::string_view name;  // in a PEER
  PeerForm form;
  std::string_view missing;   // what a new peer without it is told to give; "" when it may miss
  bool fixed;                 // another value makes another peer
  std::string_view option;    // of relayctl peer add and set
  std::string_view argument;  // of the option
  std::string_view text;      // of the option
  std::string_view title;     // in relayctl peer show
  std::string_view off_option = {};  // takes the value away
  std::string_view off_text = {};
  bool picked = false;  // where a new peer misses it, the relay may find it something
};

/// In the order of the enum.
inline constexpr std::array<PeerFieldInfo, kPeerFieldCount> kPeerFields = {{
    {"public_key", PeerForm::kKey, "the peer's public key", true, "public-key", "KEY",
     "its public key, in base64", "Public key"},
    {"preshared_key", PeerForm::kSecret, "", false, "preshared-key-file", "FILE",
     "the preshared key, in base64; - is the input", "Preshared key", "no-preshared-key",
     "take the preshared key away"},
    {"allowed_ips", PeerForm::kPrefixes, "a list of prefixes such as [\"10.77.0.2/32\"]", false,
     "allowed-ips", "PREFIXES", "the addresses it may use in the tunnel: 10.77.0.2/32,fd77::2/128",
     "Allowed IPs", "no-allowed-ips", "take them all away: it shakes hands, but carries nothing",
     true},
    {"endpoint", PeerForm::kEndpoint, "", false, "endpoint", "ADDRESS:PORT",
     "where to reach it, until it calls from elsewhere", "Endpoint", "no-endpoint",
     "forget where it is, until it calls"},
    {"persistent_keepalive", PeerForm::kSeconds, "", false, "keepalive", "SECONDS",
     "the relay sends it a keepalive that often; 0: off", "Keepalive"},
}};
static_assert(!kPeerFields.back().name.empty());

constexpr const PeerFieldInfo& info(PeerField field) {
  return kPeerFields[static_cast<size_t>(field)];
}

}  // namespace wirelay::ctrl
