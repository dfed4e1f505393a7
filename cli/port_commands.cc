// relayctl ports: the ports, and what their devices grant.
#include <array>

#include "cli/command.h"
#include "cli/fields.h"
#include "cli/format.h"
#include "cli/peer_table.h"

namespace wirelay::cli {

namespace {

/// "4 of 1,024": queues, and packets that each holds.
std::string queues_text(const Json::Value& queues, const Json::Value& descriptors) {
  return count_text(queues.asUInt64()) + " of " + count_text(descriptors.asUInt64());
}

std::string words(const Json::Value& list) {
  const std::string text = printable(joined(list));
  return text.empty() ? "-" : text;
}

void ports(Call& call) {
  const Json::Value result = call.relay.call("port.list");
  if (printed_json(call, result)) return;
  Table table({"PORT", "DRIVER", "ROLE", "LINK", ">MTU", ">RX QUEUES", ">TX QUEUES", ">NODE",
               ">RX MISSED", ">NO BUFFER", "HASH", "OFFLOADS"});
  for (const Json::Value& port : result["ports"]) {
    table.add({port["name"].asString(), port["driver"].asString(), port["role"].asString(),
               port["link_up"].asBool() ? "up" : "down", count_text(port["mtu"].asUInt64()),
               queues_text(port["rx_queues"], port["rx_descriptors"]),
               queues_text(port["tx_queues"], port["tx_descriptors"]),
               port["numa_node"].isNumeric() ? count_text(port["numa_node"].asUInt64()) : "-",
               count_text(port["rx_missed"].asUInt64()),
               count_text(port["rx_no_buffer"].asUInt64()), words(port["hash"]),
               words(port["offloads"])});
  }
  table.print(call.out);
}

constexpr std::array kPortCommands = {
    Command{"ports", "", 0, 0, "ports: link, MTU, role, and what their devices grant",
            "relayctl ports\nrelayctl ports --json", nullptr, ports},
};

}  // namespace

std::span<const Command> port_commands() { return kPortCommands; }

}  // namespace wirelay::cli
