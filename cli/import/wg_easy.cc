// {"server": {...}, "clients": {ID: {...}}}.
#include "cli/import/wg_easy.h"

#include <fmt/format.h>

#include "cli/errors.h"
#include "cli/format.h"
#include "crypto/keys.h"
#include "ctrl/base/json.h"

namespace wirelay::cli {

namespace {

constexpr unsigned kDepth = 8;

std::string text_at(const Json::Value& object, const char* name) {
  const Json::Value& value = object[name];
  return value.isString() ? value.asString() : std::string();
}

/// "": there is none.
std::string key_at(const Json::Value& object, const char* name, const std::string& place) {
  std::string key = text_at(object, name);
  if (key.empty()) return key;
  auto bytes = crypto::parse_base64_key(key);
  if (!bytes) {
    throw Failure(
        fmt::format("{}.{}: expected a key of 32 bytes: 44 characters of base64", place, name));
  }
  crypto::wipe(bytes->data(), bytes->size());
  return key;
}

ImportedPeer client_of(const Json::Value& client, const std::string& place) {
  ImportedPeer peer;
  if (client.isObject()) {
    peer.name = text_at(client, "name");
    peer.public_key = key_at(client, "publicKey", place);
    peer.preshared_key = key_at(client, "preSharedKey", place);
    peer.enabled = !client["enabled"].isBool() || client["enabled"].asBool();
    for (const char* family : {"address", "address6"}) {
      std::string address = text_at(client, family);
      if (!address.empty()) peer.allowed_ips.push_back(std::move(address));
    }
  }
  if (peer.public_key.empty()) throw Failure(place + ": expected an object with \"publicKey\"");
  return peer;
}

Json::Value parse(std::string_view text) {
  try {
    return ctrl::parse_json(text, {.bytes = text.size(), .depth = kDepth, .values = text.size()});
  } catch (const ctrl::JsonError& error) {
    throw Failure(fmt::format("line {}, column {}: {}", error.line, error.column, error.what()));
  }
}

}  // namespace

ImportedServer read_wg_easy(std::string_view text) {
  Json::Value file = parse(without_mark(text));
  if (!file.isObject() || !file["clients"].isObject()) {
    throw Failure("expected an object with \"server\" and \"clients\", as wg-easy writes it");
  }
  ImportedServer server;
  if (file["server"].isObject()) {
    server.private_key = key_at(file["server"], "privateKey", "server");
    const std::string address = text_at(file["server"], "address");
    if (!address.empty()) server.addresses.push_back(address);
  }
  bool keys = false;
  const Json::Value& clients = file["clients"];
  for (const std::string& id : clients.getMemberNames()) {
    server.peers.push_back(client_of(clients[id], "clients." + printable(id)));
    keys = keys || !text_at(clients[id], "privateKey").empty();
  }
  if (keys) server.left_out.emplace_back("private keys of clients, which only they should have");
  ctrl::wipe_texts(file);
  return server;
}

}  // namespace wirelay::cli
