// relayctl user ...: accounts and their limits.
#include <algorithm>
#include <array>
#include <cctype>

#include "cli/bulk.h"
#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/format.h"
#include "cli/peer_table.h"
#include "cli/user_fields.h"
#include "ctrl/base/moment.h"

namespace wirelay::cli {

namespace {

void describe_user_add(po::options_description_easy_init add) {
  describe_user_fields(add);
  describe_bulk(add, "add the users of a file, with their peers, as \"relayctl export\" writes it");
}

void describe_user_set(po::options_description_easy_init add) { describe_user_fields(add); }

void describe_user_list(po::options_description_easy_init add) { describe_paging(add); }

/// The fields for every name; for one name in the short form, in which problems have short paths.
Json::Value for_each_name(const Call& call, const Json::Value& fields) {
  Json::Value params(Json::objectValue);
  for (const std::string& name : call.arguments()) {
    Json::Value user = fields;
    user["name"] = name;
    if (call.arguments().size() == 1) return user;
    params["users"].append(std::move(user));
  }
  return params;
}

void add_users(Call& call) {
  const Json::Value fields = user_fields(call);
  if (call.has("file")) {
    if (!fields.empty()) throw UsageError("with --file, limits and state are those of the file");
    return add_from_file(call, "user.add", "users");
  }
  check_no_file(call);
  if (call.arguments().empty()) throw UsageError("expected NAME... or --file FILE");
  print_changes(call, call.relay.call("user.add", for_each_name(call, fields)));
}

void set_users(Call& call) {
  const Json::Value fields = user_fields(call);
  if (fields.empty()) throw UsageError("name what to change, such as --rate 20M");
  print_changes(call, call.relay.call("user.set", for_each_name(call, fields)));
}

void rename_user(Call& call) { rename_one(call, "user.rename"); }

void reset_quotas(Call& call) { call_for_names(call, "user.reset_quota"); }

void remove_users(Call& call) { call_for_names(call, "user.remove"); }

std::string max_peers_text(const Json::Value& user) {
  const Json::Value& n = user["max_peers"];
  return n.isNumeric() && n.asUInt64() != 0 ? std::to_string(n.asUInt64()) : "unlimited";
}

std::string traffic_text(const Json::Value& traffic, const std::string& way) {
  return bytes_text(traffic[way + "_bytes"].asUInt64()) + " in " +
         count_text(traffic[way + "_packets"].asUInt64()) + " packets";
}

/// What the operator set, or what stands against it.
std::string state_text(const Json::Value& user) {
  if (!user["enabled"].asBool()) return "disabled";
  if (user["status"]["expiry"]["expired"].asBool()) return "expired";
  return user["status"]["quota"]["over"].asBool() ? "over quota" : "enabled";
}

std::string expiry_text(const Json::Value& expiry) {
  if (expiry["at"].isNull()) return "not before the first handshake";
  return ctrl::moment_text(expiry["at"].asUInt64());
}

std::string quota_text(const Json::Value& quota) {
  std::string text = bytes_text(quota["used_up"].asUInt64()) + " up, " +
                     bytes_text(quota["used_down"].asUInt64()) + " down, " +
                     bytes_text(quota["left"].asUInt64()) + " left";
  if (quota["period_end"].isNull()) return text;
  return text + " until " + ctrl::moment_text(quota["period_end"].asUInt64());
}

std::string peers_text(const Json::Value& user) {
  const Json::Value& status = user["status"];
  std::string text = count_text(status["peers"].asUInt64()) + " of " + max_peers_text(user) + ", " +
                     count_text(status["peers_connected"].asUInt64());
  if (user.isMember("max_sessions")) text += " of " + count_text(user["max_sessions"].asUInt64());
  return text + " connected";
}

void show_user(Call& call) {
  Json::Value params(Json::objectValue);
  params["name"] = call.argument();
  const Json::Value user = call.relay.call("user.get", params);
  if (printed_json(call, user)) return;
  const Json::Value& status = user["status"];
  Facts facts;
  const std::string state = state_text(user);
  facts.add("User", user["name"].asString() + (state == "enabled" ? "" : " (" + state + ")"));
  facts.add("From", status["origin"] == "file" ? "the configuration file" : "the API");
  for (auto& [title, text] : titled_fields(user)) facts.add(std::move(title), std::move(text));
  facts.add("Peers", peers_text(user));
  facts.add("Traffic up", traffic_text(status["traffic"], "rx"));
  facts.add("Traffic down", traffic_text(status["traffic"], "tx"));
  if (status.isMember("quota")) facts.add("Quota used", quota_text(status["quota"]));
  if (status.isMember("expiry")) facts.add("Ends", expiry_text(status["expiry"]));
  facts.add("Over limit", count_text(status["dropped_up"].asUInt64()) + " packets up, " +
                              count_text(status["dropped_down"].asUInt64()) + " down");
  facts.print(call.out);
  if (user["peers"].empty()) return;
  call.out << '\n';
  print_peers(call.out, user["peers"], PeerColumns::kOfOneUser);
  if (user.isMember("peers_next")) {
    call.out << "more: relayctl peer list --user " << printable(user["name"].asString())
             << " --after " << printable(user["peers_next"].asString()) << '\n';
  }
}

std::vector<std::string> list_titles() {
  std::vector<std::string> titles = {"USER", "FROM", "STATE"};
  for (auto& [title, text] : titled_fields({})) {
    std::ranges::transform(title, title.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    titles.push_back(std::move(title));
  }
  titles.insert(titles.end(), {">PEERS", ">CONNECTED", ">UP", ">DOWN"});
  return titles;
}

void list_users(Call& call) {
  const Json::Value result = fetch_list(call, "user.list", "users", Json::objectValue);
  if (printed_json(call, result) || printed_names(call, result["users"])) return;
  Table table(list_titles());
  for (const Json::Value& user : result["users"]) {
    const Json::Value& status = user["status"];
    std::vector<std::string> row = {user["name"].asString(), status["origin"].asString(),
                                    state_text(user)};
    for (auto& [title, text] : titled_fields(user)) row.push_back(std::move(text));
    for (const char* peers : {"peers", "peers_connected"}) {
      row.push_back(count_text(status[peers].asUInt64()));
    }
    for (const char* bytes : {"rx_bytes", "tx_bytes"}) {
      row.push_back(bytes_text(status["traffic"][bytes].asUInt64()));
    }
    table.add(std::move(row));
  }
  table.print(call.out);
  call.out << result["users"].size() << " of " << count_text(result["total"].asUInt64())
           << " users\n";
}

constexpr std::array kUserCommands = {
    Command{"user add", "NAME...", 0, kAnyNumber, "add users",
            "relayctl user add alice --rate 20M\n"
            "relayctl user add bob --rate-up 20M --rate-down 1.5G --packets-up 10K --max-peers 3\n"
            "relayctl user add --file users.json      # as \"relayctl export\" writes it",
            describe_user_add, add_users},
    Command{"user set", "NAME...", 1, kAnyNumber, "change limits and state, live",
            "relayctl user set alice --rate-up unlimited\n"
            "relayctl user set alice bob --rate 50M\n"
            "relayctl user set alice --quota 10G --quota-period month --expires 2027-01-31\n"
            "relayctl user set alice --disable",
            describe_user_set, set_users},
    Command{"user rename", "NAME NEW-NAME", 2, 2, "give a user another name; all else goes on",
            "relayctl user rename alice alice.smith", nullptr, rename_user},
    Command{"user remove", "NAME...", 1, kAnyNumber, "remove users and their peers",
            "relayctl user remove alice", nullptr, remove_users},
    Command{"user reset-quota", "NAME...", 1, kAnyNumber, "have the present periods begin anew",
            "relayctl user reset-quota alice", nullptr, reset_quotas},
    Command{"user show", "NAME", 1, 1, "a user, its traffic and its peers",
            "relayctl user show alice\nrelayctl user show alice --json", nullptr, show_user},
    Command{"user list", "", 0, 0, "all users",
            "relayctl user list\nrelayctl user list --limit 20 --after bob\n"
            "relayctl user list --json",
            describe_user_list, list_users},
};

}  // namespace

std::span<const Command> user_commands() { return kUserCommands; }

}  // namespace wirelay::cli
