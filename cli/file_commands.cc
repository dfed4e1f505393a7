// relayctl export and reload: the running users to a file, the configuration file to the relay.
#include <array>
#include <map>
#include <utility>

#include "cli/command.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "cli/format.h"
#include "ctrl/base/json.h"

namespace wirelay::cli {

namespace {

constexpr unsigned kExportPage = 1000;

/// Calls `take` with every entry of a paged list.
template <typename Take>
void for_each(Call& call, const char* method, const char* list, Json::Value params, Take take) {
  params["limit"] = kExportPage;
  for (;;) {
    Json::Value page = call.relay.call(method, params);
    for (Json::Value& entry : page[list]) take(entry);
    if (!page["next"].isString()) return;
    params["after"] = page["next"];
  }
}

/// Peers first: one whose user is removed meanwhile falls away with it, and one added meanwhile is
/// added after the export began.
Json::Value running_users(Call& call) {
  std::map<std::string, Json::Value> peers;  // by user
  Json::Value with_keys(Json::objectValue);
  with_keys["preshared_keys"] = true;
  for_each(call, "peer.list", "peers", with_keys, [&](Json::Value& peer) {
    const std::string user = peer["user"].asString();
    for (const char* field : {"user", "status", "has_preshared_key"}) peer.removeMember(field);
    peers[user].append(std::move(peer));
  });
  Json::Value users(Json::arrayValue);
  for_each(call, "user.list", "users", Json::objectValue, [&](Json::Value& user) {
    user.removeMember("status");
    if (const auto own = peers.find(user["name"].asString()); own != peers.end()) {
      user["peers"].swap(own->second);
    }
    users.append(std::move(user));
  });
  return users;
}

/// A user a line: such a file is compared and searched with common tools.
std::string export_text(const Json::Value& users) {
  std::string text = "{\"users\": [";
  for (Json::ArrayIndex i = 0; i < users.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + ctrl::write_json(users[i]);
  }
  return text + "\n]}\n";
}

void export_users(Call& call) {
  const Json::Value users = running_users(call);
  const std::string path = call.argument();
  write_secret_file(path, export_text(users), call.out);
  if (path == "-") return;  // JSON already
  Json::Value result(Json::objectValue);
  result["file"] = path;
  result["users"] = users.size();
  if (!printed_json(call, result))
    call.err << "wrote " << users.size() << " users to " << path << '\n';
}

/// The relay tells the first thousand lines, and counts all.
void print_difference(Call& call, const Json::Value& result) {
  const Json::Value& lines = result["difference"];
  for (const Json::Value& line : lines) call.out << printable(line.asString()) << '\n';
  uint64_t changes = 0;
  for (const char* noun : {"users_", "peers_"}) {
    for (const char* verb : {"added", "changed", "removed"}) {
      changes += result[std::string(noun) + verb].asUInt64();
    }
  }
  if (!lines.empty() && changes > lines.size()) {
    call.out << "... and " << count_text(changes - lines.size()) << " more\n";
  }
}

void reload(Call& call) {
  Json::Value params(Json::objectValue);
  for (const auto& [option, field] :
       {std::pair{"dry-run", "dry_run"}, std::pair{"force", "force"}}) {
    if (call.has(option)) params[field] = true;
  }
  const Json::Value result = call.relay.call("config.reload", params);
  if (printed_json(call, result)) return;
  print_difference(call, result);
  call.out << (call.has("dry-run") ? "would be reloaded: " : "reloaded: ") << changes_text(result)
           << '\n';
  for (const Json::Value& part : result["needs_restart"]) {
    call.out << "changed, but needs a restart: " << printable(part.asString()) << '\n';
  }
  print_warnings(call, result);
}

void describe_reload(po::options_description_easy_init add) {
  add("dry-run", "print what would change, and change nothing")  //
      ("force", "even when more than a tenth of the users would be removed");
}

constexpr std::array kFileCommands = {
    Command{"reload", "", 0, 0, "read the configuration file again and apply what can change live",
            "relayctl reload\nrelayctl reload --dry-run", describe_reload, reload},
    Command{"export", "FILE", 1, 1,
            "write the running users and peers, with preshared keys, as a users_file",
            "relayctl export /etc/wirelay/users.json\nrelayctl export - | gzip > users.json.gz",
            nullptr, export_users},
};

}  // namespace

std::span<const Command> file_commands() { return kFileCommands; }

}  // namespace wirelay::cli
