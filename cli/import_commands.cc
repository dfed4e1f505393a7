// relayctl import: the clients of another WireGuard server, who go on with the files that they
// have.
#include <array>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "cli/bulk.h"
#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/import/users.h"
#include "cli/import/wg_conf.h"
#include "cli/import/wg_easy.h"
#include "crypto/keys.h"
#include "ctrl/base/json.h"

namespace wirelay::cli {

namespace {

void describe_import(po::options_description_easy_init add) {
  const auto file = [] { return po::value<std::string>()->value_name("FILE"); };
  add("dry-run", "print what would be added, and add nothing; needs no relay")                  //
      ("key-output", file(), "write the server's private key here, mode 0600")                  //
      ("output", file(), "write the users to a users_file, mode 0600, instead of adding them")  //
      ("first", po::value<std::string>()->value_name("N"),
       "begin with the Nth user, after a refusal of a large file");
}

ImportedServer read_server(Call& call) {
  const std::string path = call.argument(), text = read_file(path, call.in);
  const size_t first = without_mark(text).find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && without_mark(text)[first] == '{';
  try {
    return json ? read_wg_easy(text) : read_wg_conf(text);
  } catch (const Failure& wrong) {
    throw Failure(file_name(path) + ": " + wrong.what());
  }
}

std::string one_a_line(const Json::Value& users) {
  std::string text;
  for (const Json::Value& user : users) {
    text += (text.empty() ? "\n" : ",\n") + ctrl::write_json(user);
  }
  return "{\"users\": [" + text + "\n]}\n";
}

void print_users(Call& call, const Json::Value& users) {
  Table table({"USER", "PEER", "STATE", "ALLOWED IPS", "PUBLIC KEY"});
  for (const Json::Value& user : users) {
    const char* state = user.isMember("enabled") ? "disabled" : "enabled";
    for (const Json::Value& peer : user["peers"]) {
      std::string prefixes;
      for (const Json::Value& prefix : peer["allowed_ips"]) {
        prefixes += (prefixes.empty() ? "" : ", ") + prefix.asString();
      }
      table.add({user["name"].asString(), peer["name"].asString(), state, prefixes,
                 peer["public_key"].asString()});
    }
  }
  table.print(call.out);
}

/// What the relay's configuration must say, so that clients find it as they know it.
Json::Value settings_of(const ImportedServer& server, const std::optional<std::string>& key_file) {
  Json::Value settings(Json::objectValue);
  if (!server.private_key.empty()) {
    settings["identity"]["private_key_file"] = key_file.value_or("FILE of --key-output");
  }
  if (server.port) settings["listen"]["udp_port"] = *server.port;
  if (!server.addresses.empty()) settings["tunnel_addresses"] = list_of(server.addresses);
  if (!server.dns.empty()) settings["client_dns"] = list_of(server.dns);
  return settings;
}

void print_settings(Call& call, const ImportedServer& server) {
  const Json::Value settings = settings_of(server, call.text("key-output"));
  if (!settings.empty()) {
    call.err << "so that clients go on with the files that they have, the relay's configuration "
                "must say:\n"
             << ctrl::write_json_file(settings);
  }
  for (const std::string& what : server.left_out) {
    call.err << "left out: " << printable(what) << '\n';
  }
}

/// A relay with another key is another server to these clients.
void compare_key(Call& call, const ImportedServer& server) {
  if (server.private_key.empty()) return;
  const crypto::Secret key(*crypto::parse_base64_key(server.private_key));
  const std::string wanted = crypto::to_base64(crypto::derive_public_key(key));
  const Json::Value status = call.relay.call("status.get");
  if (status["public_key"] == wanted) return;
  call.err << "the relay has another key (" << printable(status["public_key"].asString())
           << ") than these clients know (" << wanted
           << "): they get in when it has the server's\n";
}

/// Another relay's key is not replaced: its clients would know it no more.
void check_key_file(const std::string& file, const ImportedServer& server) {
  if (server.private_key.empty()) throw Failure("there is no private key of the server in it");
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return;
  std::istringstream nothing;
  if (read_key(file, nothing) == server.private_key) return;
  throw Failure(file + " holds another key: remove it first, if nobody needs it");
}

void import_users(Call& call) {
  exclude(call, "dry-run", {"output", "first", "key-output"});
  exclude(call, "output", {"first"});
  const ImportedServer server = read_server(call);
  const Json::Value users = users_of(server);
  if (users.empty()) throw Failure(file_name(call.argument()) + ": there is no client in it");
  const auto key_file = call.text("key-output");
  if (key_file) check_key_file(*key_file, server);
  const auto output = call.text("output");
  if (call.has("dry-run")) {
    if (!printed_json(call, users)) print_users(call, users);
  } else if (output) {
    write_secret_file(*output, one_a_line(users), call.out);
  } else {
    add_texts(call, "user.add", "users", one_a_line(users));
    compare_key(call, server);
  }
  // Last: where the users are refused, all is as it was.
  if (key_file) write_secret_file(*key_file, server.private_key + '\n', call.out);
  print_settings(call, server);
}

constexpr std::array kImportCommands = {
    Command{"import", "FILE", 1, 1,
            "add the clients of another WireGuard server, from its wg0.conf or wg-easy's wg0.json",
            "relayctl import /etc/wireguard/wg0.conf --dry-run\n"
            "relayctl import /etc/wireguard/wg0.conf --key-output /etc/wirelay/private.key\n"
            "relayctl import wg0.json --output /etc/wirelay/users.json",
            describe_import, import_users},
};

}  // namespace

std::span<const Command> import_commands() { return kImportCommands; }

}  // namespace wirelay::cli
