// USER and PEER objects, read with all their problems and written back.
#include "ctrl/users/spec_json.h"

#include <algorithm>

#include <fmt/core.h>

#include "ctrl/base/field_kind.h"
#include "ctrl/base/json_reader.h"

namespace wirelay::ctrl {

namespace {

constexpr std::string_view kUserName = "the user's name, such as \"alice\"";
constexpr std::string_view kPeerName = "the peer's name, such as \"alice-phone\"";

Json::Value& member(Json::Value& object, std::string_view name) {
  return *object.demand(name.data(), name.data() + name.size());
}

// Users ------------------------------------------------------------------------------------------

/// A user's fields as the objects in which they stand: "limits" holds "up", which holds "rate".
struct Node {
  std::string_view name;
  UserField field = UserField::kCount;  // kCount: an object of `fields`
  std::vector<Node> fields = {};

  void add(std::string_view path, UserField leaf) {
    const size_t dot = path.find('.');
    const std::string_view first = path.substr(0, dot);
    if (dot == std::string_view::npos) {
      fields.push_back({first, leaf});
      return;
    }
    auto found = std::ranges::find(fields, first, &Node::name);
    if (found == fields.end()) found = fields.insert(found, {first});
    found->add(path.substr(dot + 1), leaf);
  }
};

const Node& user_tree() {
  static const Node kTree = [] {
    Node root;
    for (size_t i = 0; i < kUserFieldCount; ++i) {
      root.add(kUserFields[i].path, static_cast<UserField>(i));
    }
    return root;
  }();
  return kTree;
}

void read_field(ObjectReader& reader, const Node& node, UserChange& change) {
  const Json::Value* value = reader.any(node.name);
  if (value == nullptr) return;
  std::string message;
  if (const auto number = parse_value(*value, info(node.field).kind, message)) {
    change.set(node.field, *number);
  } else {
    reader.problem(node.name, std::move(message));
  }
}

void read_fields(ObjectReader& reader, const Node& object, UserChange& change,
                 std::vector<Problem>& problems) {
  for (const Node& node : object.fields) {
    if (node.field != UserField::kCount) {
      read_field(reader, node, change);
    } else if (const Json::Value* value = reader.object(node.name)) {
      ObjectReader inner(*value, {reader.place(), node.name}, problems);
      read_fields(inner, node, change, problems);
      inner.finish();
    }
  }
}

void write_fields(const UserValues& values, const Node& object, Json::Value& to) {
  for (const Node& node : object.fields) {
    if (node.field == UserField::kCount) {
      Json::Value inner(Json::objectValue);
      write_fields(values, node, inner);
      if (!inner.empty()) member(to, node.name) = std::move(inner);
      continue;
    }
    const FieldKind& kind = info(node.field).kind;
    const uint64_t value = values[node.field];
    if (value != 0 || !kind.silent_open) member(to, node.name) = value_json(value, kind);
  }
}

// Peers ------------------------------------------------------------------------------------------

// Each reads one field by the type of its value; false when it is absent, or wrong and noted.

bool read_value(ObjectReader& peer, std::string_view name, crypto::PublicKey& to) {
  const auto text = peer.text(name);
  if (!text) return false;
  const auto key = crypto::parse_base64_key(*text);
  if (!key) {
    peer.problem(name, fmt::format("found {}, expected a key of 32 bytes: 44 characters of base64, "
                                   "as \"relayctl pubkey\" writes it",
                                   in_quotes(*text)));
    return false;
  }
  to = *key;
  return true;
}

/// Never repeats what was found: it is a secret, even when it is malformed. No text, and a key of
/// zeros, stand for no key.
bool read_value(ObjectReader& peer, std::string_view name, std::optional<crypto::Secret>& to) {
  const auto text = peer.text(name);
  if (!text) return false;
  if (text->empty()) return true;
  auto key = crypto::parse_base64_key(*text);
  if (!key) {
    peer.problem(name, fmt::format("found {} characters that are no key, expected a key of 32 "
                                   "bytes: 44 characters of base64, as \"wg genpsk\" writes it",
                                   text->size()));
    return false;
  }
  if (const crypto::Secret secret(*key); !secret.is_zero()) to = secret;
  crypto::wipe(key->data(), key->size());
  return true;
}

bool read_value(ObjectReader& peer, std::string_view name, std::vector<dataplane::Prefix>& to) {
  const Json::Value* list = peer.list(name);
  if (list == nullptr) return false;
  constexpr std::string_view kWhat = "a prefix such as \"10.77.0.2/32\" or \"fd77::2/128\"";
  to.reserve(list->size());
  for (Json::ArrayIndex i = 0; i < list->size() && !peer.enough(); ++i) {
    const Json::Value& item = (*list)[i];
    const auto prefix = item.isString() ? dataplane::parse_prefix(item.asString()) : std::nullopt;
    if (prefix) {
      to.push_back(*prefix);
    } else {
      peer.problem(fmt::format("{}[{}]", name, i), expected(item, kWhat));
    }
  }
  return true;
}

/// No text says that it is nowhere: port 0.
bool read_value(ObjectReader& peer, std::string_view name, std::optional<dataplane::Endpoint>& to) {
  const auto text = peer.text(name);
  if (!text) return false;
  to = text->empty() ? dataplane::Endpoint{} : dataplane::parse_endpoint(*text);
  if (text->empty()) return true;
  if (to && to->port != 0) return true;
  peer.problem(name, fmt::format("found {}, expected an address and a port such as "
                                 "\"198.51.100.7:51820\" or \"[2001:db8::7]:51820\"",
                                 in_quotes(*text)));
  return false;
}

bool read_value(ObjectReader& peer, std::string_view name, uint16_t& to) {
  const auto seconds = peer.number(name, 0, UINT16_MAX);
  if (seconds) to = static_cast<uint16_t>(*seconds);
  return seconds.has_value();
}

void read_fields(ObjectReader& reader, bool fresh, PeerChange& change) {
  for_each_peer_field([&](PeerField field, auto member) {
    const PeerFieldInfo& about = info(field);
    if (!fresh && about.fixed) return;
    if (fresh && !about.missing.empty() && !about.picked) {
      reader.require(about.name, about.missing);
    }
    if (read_value(reader, about.name, change.to.*member)) {
      change.named.set(static_cast<size_t>(field));
    }
  });
}

// Each writes a value; null when there is nothing to write.

Json::Value json_of(const crypto::PublicKey& key) { return crypto::to_base64(key); }
Json::Value json_of(const std::optional<crypto::Secret>& key) {
  return key ? Json::Value(crypto::to_base64(key->bytes())) : Json::Value();
}
Json::Value json_of(const std::vector<dataplane::Prefix>& prefixes) {
  Json::Value list(Json::arrayValue);
  for (const dataplane::Prefix& prefix : prefixes) list.append(to_string(prefix));
  return list;
}
Json::Value json_of(const std::optional<dataplane::Endpoint>& endpoint) {
  return endpoint ? Json::Value(to_string(*endpoint)) : Json::Value();
}
Json::Value json_of(uint16_t seconds) { return seconds; }

void read_peer_of(const Json::Value& value, const Place& place, const std::string* user,
                  std::vector<Step>& steps, std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  PeerChange given;
  PeerSpec spec;
  reader.require("name", kPeerName);
  spec.name = reader.text("name").value_or("");
  if (user != nullptr) {
    spec.user = *user;
  } else {
    reader.require("user", kUserName);
    spec.user = reader.text("user").value_or("");
  }
  read_fields(reader, true, given);
  const bool pick = reader.any(info(PeerField::kAllowedIps).name) == nullptr;
  static_cast<PeerValues&>(spec) = std::move(given.to);
  if (spec.endpoint && spec.endpoint->port == 0) spec.endpoint.reset();
  const bool move = reader.boolean("move").value_or(false);
  reader.finish();
  steps.push_back({AddPeer{std::move(spec), move, pick}, place.text()});
}

}  // namespace

void read_user(const Json::Value& value, const Place& place, std::vector<Step>& steps,
               std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  reader.require("name", kUserName);
  UserChange given;
  given.name = reader.text("name").value_or("");
  read_fields(reader, user_tree(), given, problems);
  const Json::Value* peers = reader.list("peers");
  reader.finish();
  steps.push_back({AddUser{{given.name, given.to}}, place.text()});
  const Place list(place, "peers");
  for (Json::ArrayIndex i = 0; peers != nullptr && i < peers->size() && !enough(problems); ++i) {
    read_peer_of((*peers)[i], {list, i}, &given.name, steps, problems);
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
  reader.require("name", kUserName);
  UserChange change;
  change.name = reader.text("name").value_or("");
  read_fields(reader, user_tree(), change, problems);
  reader.finish();
  steps.push_back({SetUser{std::move(change)}, place.text()});
}

void read_peer_change(const Json::Value& value, const Place& place, std::vector<Step>& steps,
                      std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  reader.require("name", kPeerName);
  PeerChange change;
  change.name = reader.text("name").value_or("");
  read_fields(reader, false, change);
  const bool move = reader.boolean("move").value_or(false);
  reader.finish();
  steps.push_back({SetPeer{std::move(change), move}, place.text()});
}

void read_rotation(const Json::Value& value, const Place& place, std::vector<Step>& steps,
                   std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  if (!value.isObject()) return;
  const PeerFieldInfo& key = info(PeerField::kPublicKey);
  reader.require("name", kPeerName);
  reader.require(key.name, key.missing);
  RotateKeys step{reader.text("name").value_or("")};
  read_value(reader, key.name, step.public_key);
  read_value(reader, info(PeerField::kPresharedKey).name, step.preshared_key);
  reader.finish();
  steps.push_back({std::move(step), place.text()});
}

Json::Value to_json(const UserSpec& user) {
  Json::Value value(Json::objectValue);
  value["name"] = user.name;
  write_fields(user.values, user_tree(), value);
  return value;
}

namespace {

/// The name that people know, if it is borne by another for the moment.
void show_name(Json::Value& value, const std::string& name) {
  if (name.starts_with('~')) value["name"] = name.substr(1);
}

}  // namespace

Json::Value shown(const UserSpec& user) {
  Json::Value value = to_json(user);
  show_name(value, user.name);
  return value;
}

Json::Value shown(const PeerSpec& peer) {
  Json::Value value = to_json(peer, PresharedKey::kHide);
  value["has_preshared_key"] = peer.preshared_key.has_value();
  show_name(value, peer.name);
  return value;
}

Json::Value to_json(const PeerSpec& peer, PresharedKey preshared_key) {
  Json::Value value(Json::objectValue);
  value["name"] = peer.name;
  value["user"] = peer.user;
  for_each_peer_field([&](PeerField field, auto of) {
    if (info(field).form == PeerForm::kSecret && preshared_key == PresharedKey::kHide) return;
    Json::Value written = json_of(peer.*of);
    if (!written.isNull()) member(value, info(field).name) = std::move(written);
  });
  return value;
}

}  // namespace wirelay::ctrl
