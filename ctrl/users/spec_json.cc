// USER and PEER objects, read with all their problems and written back.
#include "ctrl/users/spec_json.h"

#include <fmt/core.h>

#include "ctrl/base/json_reader.h"
#include "ctrl/base/rate.h"

namespace wirelay::ctrl {

namespace {

using dataplane::DirectionLimits;

constexpr uint64_t kMaxPeers = 1'000'000;  // of one user
constexpr std::string_view kUserName = "the user's name, such as \"alice\"";
constexpr std::string_view kPeerName = "the peer's name, such as \"alice-phone\"";

// Limits -----------------------------------------------------------------------------------------

/// One direction as it was written: what is absent is not named.
struct DirectionText {
  std::optional<uint64_t> rate, burst, packets;
  [[nodiscard]] DirectionLimits limits() const {
    return {rate.value_or(0), burst.value_or(0), packets.value_or(0)};
  }
};

std::optional<uint64_t> read_rate(ObjectReader& reader, const char* name, const RateKind& kind) {
  const Json::Value* value = reader.any(name);
  if (value == nullptr) return std::nullopt;
  std::string message;
  const auto rate = parse_rate(*value, kind, message);
  if (!rate) reader.problem(name, message);
  return rate;
}

DirectionText read_direction(ObjectReader& limits, const char* name,
                             std::vector<Problem>& problems) {
  DirectionText text;
  const Json::Value* value = limits.object(name);
  if (value == nullptr) return text;
  ObjectReader reader(*value, {limits.place(), name}, problems);
  text.rate = read_rate(reader, "rate", kBitRate);
  text.burst = read_rate(reader, "burst", kBurst);
  text.packets = read_rate(reader, "packets", kPacketRate);
  reader.finish();
  return text;
}

struct LimitsText {
  DirectionText up, down;
};

LimitsText read_limits(ObjectReader& user, std::vector<Problem>& problems) {
  LimitsText text;
  const Json::Value* value = user.object("limits");
  if (value == nullptr) return text;
  ObjectReader reader(*value, {user.place(), "limits"}, problems);
  text.up = read_direction(reader, "up", problems);
  text.down = read_direction(reader, "down", problems);
  reader.finish();
  return text;
}

std::optional<uint32_t> read_max_peers(ObjectReader& user) {
  const Json::Value* value = user.any("max_peers");
  if (value == nullptr) return std::nullopt;
  if (value->isString() && value->asString() == "unlimited") return 0;
  if (value->isNumeric() && value->isUInt64() && value->asUInt64() >= 1 &&
      value->asUInt64() <= kMaxPeers) {
    return static_cast<uint32_t>(value->asUInt64());
  }
  user.problem(
      "max_peers",
      expected(*value, fmt::format("a whole number from 1 to {}, or \"unlimited\"", kMaxPeers)));
  return std::nullopt;
}

Json::Value rate_json(uint64_t rate) { return rate == 0 ? "unlimited" : scaled_text(rate); }

Json::Value to_json(const DirectionLimits& limits) {
  Json::Value value(Json::objectValue);
  value["rate"] = rate_json(limits.bits_per_second);
  if (limits.burst_bytes != 0) value["burst"] = scaled_text(limits.burst_bytes);
  value["packets"] = rate_json(limits.packets_per_second);
  return value;
}

// Peers ------------------------------------------------------------------------------------------

std::optional<crypto::PublicKey> read_public_key(ObjectReader& peer) {
  const auto text = peer.text("public_key");
  if (!text) return std::nullopt;
  const auto key = crypto::parse_base64_key(*text);
  if (!key) {
    peer.problem("public_key", fmt::format("found {}, expected a key of 32 bytes: 44 characters "
                                           "of base64, as \"relayctl pubkey\" writes it",
                                           in_quotes(*text)));
  }
  return key;
}

/// Never repeats what was found: it is a secret, even when it is malformed.
std::optional<crypto::Secret> read_preshared_key(ObjectReader& peer) {
  const auto text = peer.text("preshared_key");
  if (!text) return std::nullopt;
  if (text->empty()) return crypto::Secret();
  auto key = crypto::parse_base64_key(*text);
  if (!key) {
    peer.problem("preshared_key",
                 fmt::format("found {} characters that are no key, expected a key of 32 bytes: "
                             "44 characters of base64, as \"wg genpsk\" writes it",
                             text->size()));
    return std::nullopt;
  }
  crypto::Secret secret(*key);
  crypto::wipe(key->data(), key->size());
  return secret;
}

std::optional<std::vector<dataplane::Prefix>> read_allowed_ips(ObjectReader& peer,
                                                               std::vector<Problem>& problems) {
  const Json::Value* list = peer.list("allowed_ips");
  if (list == nullptr) return std::nullopt;
  constexpr std::string_view kWhat = "a prefix such as \"10.77.0.2/32\" or \"fd77::2/128\"";
  if (list->empty()) peer.problem("allowed_ips", fmt::format("is empty, expected {}", kWhat));
  std::vector<dataplane::Prefix> prefixes;
  prefixes.reserve(list->size());
  const Place place(peer.place(), "allowed_ips");
  for (Json::ArrayIndex i = 0; i < list->size() && !enough(problems); ++i) {
    const Json::Value& item = (*list)[i];
    const auto prefix = item.isString() ? dataplane::parse_prefix(item.asString()) : std::nullopt;
    if (prefix) {
      prefixes.push_back(*prefix);
    } else {
      problems.push_back({Place(place, i).text(), expected(item, kWhat)});
    }
  }
  return prefixes;
}

std::optional<dataplane::Endpoint> read_endpoint(ObjectReader& peer) {
  const auto text = peer.text("endpoint");
  if (!text) return std::nullopt;
  const auto endpoint = dataplane::parse_endpoint(*text);
  if (endpoint && endpoint->port != 0) return endpoint;
  peer.problem("endpoint", fmt::format("found {}, expected an address and a port such as "
                                       "\"198.51.100.7:51820\" or \"[2001:db8::7]:51820\"",
                                       in_quotes(*text)));
  return std::nullopt;
}

std::optional<uint16_t> read_keepalive(ObjectReader& peer) {
  const auto seconds = peer.number("persistent_keepalive", 0, 65535);
  if (!seconds) return std::nullopt;
  return static_cast<uint16_t>(*seconds);
}

void read_peer_of(const Json::Value& value, const Place& place, const std::string* user,
                  std::vector<Step>& steps, std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  PeerSpec spec;
  reader.require("name", kPeerName);
  spec.name = reader.text("name").value_or("");
  if (user != nullptr) {
    spec.user = *user;
  } else {
    reader.require("user", kUserName);
    spec.user = reader.text("user").value_or("");
  }
  reader.require("public_key", "the peer's public key");
  spec.public_key = read_public_key(reader).value_or(crypto::PublicKey{});
  spec.preshared_key = read_preshared_key(reader);
  if (spec.preshared_key && spec.preshared_key->is_zero()) spec.preshared_key.reset();
  reader.require("allowed_ips", "a list of prefixes such as [\"10.77.0.2/32\"]");
  spec.allowed_ips = read_allowed_ips(reader, problems).value_or(std::vector<dataplane::Prefix>{});
  spec.endpoint = read_endpoint(reader);
  spec.persistent_keepalive = read_keepalive(reader).value_or(0);
  reader.finish();
  steps.push_back({AddPeer{std::move(spec)}, place.text()});
}

}  // namespace

void read_user(const Json::Value& value, const Place& place, std::vector<Step>& steps,
               std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  UserSpec spec;
  reader.require("name", kUserName);
  spec.name = reader.text("name").value_or("");
  const LimitsText limits = read_limits(reader, problems);
  spec.limits = {limits.up.limits(), limits.down.limits()};
  spec.max_peers = read_max_peers(reader).value_or(0);
  spec.enabled = reader.boolean("enabled").value_or(true);
  const Json::Value* peers = reader.list("peers");
  reader.finish();
  const std::string name = spec.name;
  steps.push_back({AddUser{std::move(spec)}, place.text()});
  const Place list(place, "peers");
  for (Json::ArrayIndex i = 0; peers != nullptr && i < peers->size() && !enough(problems); ++i) {
    read_peer_of((*peers)[i], {list, i}, &name, steps, problems);
  }
}

void read_peer(const Json::Value& value, const Place& place, std::vector<Step>& steps,
               std::vector<Problem>& problems) {
  read_peer_of(value, place, nullptr, steps, problems);
}

void read_user_change(const Json::Value& value, const Place& place, std::vector<Step>& steps,
                      std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  UserChange change;
  reader.require("name", kUserName);
  change.name = reader.text("name").value_or("");
  const LimitsText limits = read_limits(reader, problems);
  change.up_bits = limits.up.rate;
  change.up_burst = limits.up.burst;
  change.up_packets = limits.up.packets;
  change.down_bits = limits.down.rate;
  change.down_burst = limits.down.burst;
  change.down_packets = limits.down.packets;
  change.max_peers = read_max_peers(reader);
  change.enabled = reader.boolean("enabled");
  reader.finish();
  steps.push_back({SetUser{std::move(change)}, place.text()});
}

void read_peer_change(const Json::Value& value, const Place& place, std::vector<Step>& steps,
                      std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  PeerChange change;
  reader.require("name", kPeerName);
  change.name = reader.text("name").value_or("");
  change.preshared_key = read_preshared_key(reader);
  change.allowed_ips = read_allowed_ips(reader, problems);
  change.endpoint = read_endpoint(reader);
  change.persistent_keepalive = read_keepalive(reader);
  reader.finish();
  steps.push_back({SetPeer{std::move(change)}, place.text()});
}

Json::Value to_json(const UserSpec& user) {
  Json::Value value(Json::objectValue);
  value["name"] = user.name;
  value["limits"]["up"] = to_json(user.limits.up);
  value["limits"]["down"] = to_json(user.limits.down);
  value["max_peers"] =
      user.max_peers == 0 ? Json::Value("unlimited") : Json::Value(Json::UInt(user.max_peers));
  value["enabled"] = user.enabled;
  return value;
}

Json::Value to_json(const PeerSpec& peer, PresharedKey preshared_key) {
  Json::Value value(Json::objectValue);
  value["name"] = peer.name;
  value["user"] = peer.user;
  value["public_key"] = crypto::to_base64(peer.public_key);
  if (peer.preshared_key && preshared_key == PresharedKey::kShow) {
    value["preshared_key"] = crypto::to_base64(peer.preshared_key->bytes());
  }
  value["allowed_ips"] = Json::Value(Json::arrayValue);
  for (const dataplane::Prefix& prefix : peer.allowed_ips) {
    value["allowed_ips"].append(to_string(prefix));
  }
  if (peer.endpoint) value["endpoint"] = to_string(*peer.endpoint);
  value["persistent_keepalive"] = peer.persistent_keepalive;
  return value;
}

}  // namespace wirelay::ctrl
