// relayctl events: what has happened on the relay, and what happens.
#include <array>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/errors.h"
#include "cli/format.h"
#include "ctrl/base/json.h"

namespace wirelay::cli {

namespace {

constexpr uint64_t kPage = 1000;

void describe_events(po::options_description_easy_init add) {
  add("follow", "go on with those that come, until the relay ends or you do");
  add("user", po::value<std::string>()->value_name("NAME"), "only those about this user");
  add("kind", po::value<std::vector<std::string>>()->value_name("KIND"),
      "only those of this kind; may be repeated");
  add("since", po::value<std::string>()->value_name("NUMBER"),
      "only those behind the one with this number");
}

std::string text_of(const Json::Value& value) {
  return value.isString() ? value.asString() : ctrl::write_json(value);
}

/// "user.set by user 0: changed {"enabled":true} to {"enabled":false}"
std::string change_text(const Json::Value& event) {
  std::string text = text_of(event["request"]);
  if (event.isMember("uid")) text += " by user " + text_of(event["uid"]);
  if (event.isMember("more")) return text + ": and " + text_of(event["more"]) + " more";
  text += ": " + text_of(event["change"]);
  if (event.isMember("before")) text += ' ' + text_of(event["before"]);
  if (event.isMember("before") && event.isMember("after")) text += " to";
  if (event.isMember("after")) text += ' ' + text_of(event["after"]);
  return text;
}

/// "endpoint 198.51.100.7:51820", what is not in a column of its own.
std::string details_of(const Json::Value& event) {
  if (event["kind"] == "change") return change_text(event);
  std::string text;
  for (const std::string& name : event.getMemberNames()) {
    if (name == "kind" || name == "number" || name == "time" || name == "user" || name == "peer") {
      continue;
    }
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, text_of(event[name]));
  }
  return text;
}

std::string about(const Json::Value& event) {
  const auto name = [&](const char* field) {
    return event[field].isString() ? event[field].asString() : std::string("-");
  };
  return event.isMember("peer") ? name("user") + '/' + name("peer") : name("user");
}

void print_event(Call& call, const Json::Value& event) {
  if (call.json()) {
    call.out << ctrl::write_json(event) << '\n';
  } else {
    call.out << printable(fmt::format("{:<24}  {:<12}  {:<24}  {}", event["time"].asString(),
                                      event["kind"].asString(), about(event), details_of(event)))
             << '\n';
  }
}

Json::Value wanted_events(const Call& call) {
  Json::Value params(Json::objectValue);
  if (const auto user = call.text("user")) params["user"] = *user;
  for (const std::string& kind : call.texts("kind")) params["kinds"].append(kind);
  if (call.has("since")) params["since"] = Json::UInt64{call.number("since", 0)};
  return params;
}

/// All that is kept, by pages; those that come meanwhile are on the last.
void print_kept(Call& call, Json::Value params) {
  params["limit"] = Json::UInt64{kPage};
  for (;;) {
    const Json::Value page = call.relay.call("events.list", params);
    for (const Json::Value& event : page["events"]) print_event(call, event);
    if (!page["next"].isNumeric()) return;
    params["since"] = page["next"];
  }
}

void follow_events(Call& call, const Json::Value& params) {
  call.relay.call("events.subscribe", params);
  for (;;) {
    print_event(call, call.relay.await_notification());
    call.out.flush();
    if (!call.out) throw Failure("cannot write the output");
  }
}

void run_events(Call& call) {
  const Json::Value params = wanted_events(call);
  call.has("follow") ? follow_events(call, params) : print_kept(call, params);
}

constexpr std::array kEventCommands = {
    Command{"events", "", 0, 0, "what has happened: peers, changes, ports; --follow goes on",
            "relayctl events\nrelayctl events --follow --user alice\n"
            "relayctl events --kind disconnected --kind refused --json",
            describe_events, run_events},
};

}  // namespace

std::span<const Command> event_commands() { return kEventCommands; }

}  // namespace wirelay::cli
