// relayctl drain: the end of a relay that lets its clients go first.
#include <array>
#include <chrono>
#include <thread>

#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/format.h"

namespace wirelay::cli {

namespace {

/// Tells how many are left, whenever that changes, until no relay answers.
void follow_drain(Call& call, uint64_t connected) {
  for (;;) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    Json::Value left;
    try {
      left = call.relay.call("status.get", Json::Value(Json::objectValue))["draining"];
    } catch (const Unreachable&) {
      call.err << "the relay has ended\n";
      return;
    }
    if (left.isNull()) throw Failure("the relay was started anew meanwhile");
    const uint64_t now = left["connected"].asUInt64();
    if (now == connected) continue;
    connected = now;
    call.err << count_text(connected) << " connected, " << left["seconds_left"].asUInt64()
             << " s left\n";
  }
}

void drain(Call& call) {
  Json::Value params(Json::objectValue);
  if (call.has("timeout")) params["timeout"] = Json::UInt64{call.number("timeout", 0)};
  const Json::Value result = call.relay.call("relay.drain", params);
  const uint64_t connected = result["connected"].asUInt64();
  if (!printed_json(call, result)) {
    call.out << "no new sessions from now on; " << count_text(connected)
             << " connected, and the relay ends with the last of them, or in "
             << result["seconds_left"].asUInt64() << " s\n";
    call.out.flush();
  }
  if (!call.has("no-wait")) follow_drain(call, connected);
}

void describe_drain(po::options_description_easy_init add) {
  add("timeout", po::value<std::string>()->value_name("SECONDS"),
      "end after that time all the same; else 300, sessions live 180")  //
      ("no-wait", "ask for it, and do not wait for the end");
}

constexpr std::array kRelayCommands = {
    Command{"drain", "", 0, 0, "take no new sessions, and end the relay with the last one",
            "relayctl drain\nrelayctl drain --timeout 60 --no-wait", describe_drain, drain},
};

}  // namespace

std::span<const Command> relay_commands() { return kRelayCommands; }

}  // namespace wirelay::cli
