// relayctl user ...: accounts and their limits.
#include <array>
#include <ctime>

#include "cli/bulk.h"
#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/format.h"
#include "cli/peer_table.h"

namespace wirelay::cli {

namespace {

void describe_limits(po::options_description_easy_init& add) {
  const auto rate = [] { return po::value<std::string>()->value_name("RATE"); };
  add("rate", rate(), "bits a second both ways: 20M, 1.5G, unlimited")   //
      ("rate-up", rate(), "bits a second from the user")                 //
      ("rate-down", rate(), "bits a second to the user")                 //
      ("packets", rate(), "packets a second both ways: 10K, unlimited")  //
      ("packets-up", rate(), "packets a second from the user")           //
      ("packets-down", rate(), "packets a second to the user")           //
      ("burst", po::value<std::string>()->value_name("BYTES"),
       "how much may come at once, both ways: 256K, default")                       //
      ("burst-up", po::value<std::string>()->value_name("BYTES"), "from the user")  //
      ("burst-down", po::value<std::string>()->value_name("BYTES"), "to the user")  //
      ("max-peers", po::value<std::string>()->value_name("N"), "most devices, or unlimited");
}

void describe_add(po::options_description_easy_init add) {
  describe_limits(add);
  add("disable", "not to be used yet");
  describe_bulk(add, "add the users of a file, with their peers, as \"relayctl export\" writes it");
}

void describe_set(po::options_description_easy_init add) {
  describe_limits(add);
  add("disable", "no handshakes and no packets for this user")  //
      ("enable", "the contrary");
}

void describe_list(po::options_description_easy_init add) { describe_paging(add); }

/// The options as fields of a USER.
Json::Value user_fields(const Call& call) {
  Json::Value user(Json::objectValue);
  for (const std::string way : {"up", "down"}) {
    for (const std::string field : {"rate", "packets", "burst"}) {
      auto value = call.text(std::string(field).append("-").append(way).c_str());
      if (!value) value = call.text(field.c_str());
      if (value) user["limits"][way][field] = *value;
    }
  }
  if (const auto n = call.text("max-peers")) user["max_peers"] = number_or_text(*n);
  if (call.has("disable")) user["enabled"] = false;
  return user;
}

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

void add(Call& call) {
  const Json::Value fields = user_fields(call);
  if (call.has("file")) {
    if (!fields.empty()) throw UsageError("with --file, limits and state are those of the file");
    return add_from_file(call, "user.add", "users");
  }
  check_no_file(call);
  if (call.arguments().empty()) throw UsageError("expected NAME... or --file FILE");
  print_changes(call, call.relay.call("user.add", for_each_name(call, fields)));
}

void set(Call& call) {
  exclude(call, "enable", {"disable"});
  Json::Value fields = user_fields(call);
  if (call.has("enable")) fields["enabled"] = true;
  if (fields.empty()) throw UsageError("name what to change, such as --rate 20M");
  print_changes(call, call.relay.call("user.set", for_each_name(call, fields)));
}

void remove(Call& call) { remove_named(call, "user.remove"); }

/// "20 Mbit/s, 10 kpacket/s", or "unlimited".
std::string limits_text(const Json::Value& way) {
  std::string text;
  const auto part = [&](const char* field, const char* unit) {
    const std::string value = way[field].asString();
    if (value.empty() || value == "unlimited") return;
    text += (text.empty() ? "" : ", ") + rate_text(value, unit);
  };
  part("rate", "bit/s");
  part("packets", "packet/s");
  return text.empty() ? "unlimited" : text;
}

std::string max_peers_text(const Json::Value& user) {
  const Json::Value& n = user["max_peers"];
  return n.isNumeric() && n.asUInt64() != 0 ? std::to_string(n.asUInt64()) : "unlimited";
}

std::string traffic_text(const Json::Value& traffic, const std::string& way) {
  return bytes_text(traffic[way + "_bytes"].asUInt64()) + " in " +
         count_text(traffic[way + "_packets"].asUInt64()) + " packets";
}

void show(Call& call) {
  Json::Value params(Json::objectValue);
  params["name"] = call.argument();
  const Json::Value user = call.relay.call("user.get", params);
  if (printed_json(call, user)) return;
  const Json::Value& status = user["status"];
  Facts facts;
  facts.add("User", user["name"].asString() + (user["enabled"].asBool() ? "" : " (disabled)"));
  facts.add("Limit up", limits_text(user["limits"]["up"]));
  facts.add("Limit down", limits_text(user["limits"]["down"]));
  facts.add("Peers", count_text(status["peers"].asUInt64()) + " of " + max_peers_text(user) + ", " +
                         count_text(status["peers_connected"].asUInt64()) + " connected");
  facts.add("Traffic up", traffic_text(status["traffic"], "rx"));
  facts.add("Traffic down", traffic_text(status["traffic"], "tx"));
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

void list(Call& call) {
  const Json::Value result = fetch_list(call, "user.list", "users", Json::objectValue);
  if (printed_json(call, result) || printed_names(call, result["users"])) return;
  Table table({"USER", "STATE", "LIMIT UP", "LIMIT DOWN", ">PEERS", ">CONNECTED", ">UP", ">DOWN"});
  for (const Json::Value& user : result["users"]) {
    const Json::Value& status = user["status"];
    table.add({user["name"].asString(), user["enabled"].asBool() ? "enabled" : "disabled",
               limits_text(user["limits"]["up"]), limits_text(user["limits"]["down"]),
               count_text(status["peers"].asUInt64()),
               count_text(status["peers_connected"].asUInt64()),
               bytes_text(status["traffic"]["rx_bytes"].asUInt64()),
               bytes_text(status["traffic"]["tx_bytes"].asUInt64())});
  }
  table.print(call.out);
  call.out << result["users"].size() << " of " << count_text(result["total"].asUInt64())
           << " users\n";
}

constexpr std::array kCommands = {
    Command{"user add", "NAME...", 0, kAnyNumber, "add users",
            "relayctl user add alice --rate 20M\n"
            "relayctl user add bob --rate-up 20M --rate-down 1.5G --packets-up 10K --max-peers 3\n"
            "relayctl user add --file users.json      # as \"relayctl export\" writes it",
            describe_add, add},
    Command{"user set", "NAME...", 1, kAnyNumber, "change limits and state, live",
            "relayctl user set alice --rate-up unlimited\n"
            "relayctl user set alice bob --rate 50M\n"
            "relayctl user set alice --disable",
            describe_set, set},
    Command{"user remove", "NAME...", 1, kAnyNumber, "remove users and their peers",
            "relayctl user remove alice", nullptr, remove},
    Command{"user show", "NAME", 1, 1, "a user, its traffic and its peers",
            "relayctl user show alice\nrelayctl user show alice --json", nullptr, show},
    Command{"user list", "", 0, 0, "all users",
            "relayctl user list\nrelayctl user list --limit 20 --after bob\n"
            "relayctl user list --json",
            describe_list, list},
};

}  // namespace

std::span<const Command> user_commands() { return kCommands; }

}  // namespace wirelay::cli
