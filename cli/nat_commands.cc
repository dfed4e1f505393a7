// relayctl nat: public addresses, blocks of their ports, and who has them.
#include <array>

#include "cli/command.h"
#include "cli/fields.h"
#include "cli/format.h"

namespace wirelay::cli {

namespace {

std::string count_of(const Json::Value& n) { return count_text(n.asUInt64()); }

std::string ports_text(const Json::Value& block) {
  return std::to_string(block["first_port"].asUInt64()) + "-" +
         std::to_string(block["last_port"].asUInt64());
}

void print_nat(std::ostream& out, const Json::Value& nat) {
  const uint64_t blocks = nat["blocks"].asUInt64();
  const uint64_t free = nat["blocks_free"].asUInt64(), resting = nat["blocks_resting"].asUInt64();
  const uint64_t used = blocks - std::min(free + resting, blocks);
  Facts facts;
  facts.add("Port", printable(nat["port"].asString()));
  facts.add("Addresses", count_of(nat["addresses"]));
  facts.add("Blocks", count_text(used) + " of " + count_text(blocks) + " in use, " +
                          count_text(resting) + " resting, of " + count_of(nat["block_ports"]) +
                          " ports each");
  facts.add("Flow records", count_of(nat["records_used"]) + " of " + count_of(nat["records"]));
  facts.add("Each user", count_of(nat["max_blocks"]) + " blocks and " + count_of(nat["max_flows"]) +
                             " flows at most");
  facts.print(out);
}

/// Of all pages.
Json::Value all_blocks(Call& call) {
  constexpr unsigned kBlocksAtOnce = 1000;
  Json::Value blocks(Json::arrayValue);
  Json::Value params(Json::objectValue);
  params["limit"] = kBlocksAtOnce;
  for (;;) {
    const Json::Value page = call.relay.call("nat.blocks", params);
    for (const Json::Value& block : page["blocks"]) blocks.append(block);
    if (!page["next"].isNumeric()) return blocks;
    params["from"] = page["next"];
  }
}

void nat(Call& call) {
  Json::Value result = call.relay.call("nat.get");
  const bool on = result["nat44"].isObject();
  result["blocks"] = on ? all_blocks(call) : Json::Value(Json::arrayValue);
  if (printed_json(call, result)) return;
  if (!on) {
    call.out << "Addresses are not translated (\"nat44\" of the configuration).\n";
    return;
  }
  print_nat(call.out, result["nat44"]);
  Table table({"USER", "ADDRESS", "PORTS", ">USED", ">FLOWS", ">WORKER"});
  for (const Json::Value& block : result["blocks"]) {
    table.add({printable(block["user"].asString()), block["address"].asString(), ports_text(block),
               count_of(block["ports_used"]), count_of(block["flows"]), count_of(block["worker"])});
  }
  if (table.empty()) return;
  call.out << '\n';
  table.print(call.out);
}

constexpr std::array kNatCommands = {
    Command{"nat", "", 0, 0, "NAT44: addresses, blocks of ports, and which user has which",
            "relayctl nat\nrelayctl nat --json", nullptr, nat},
};

}  // namespace

std::span<const Command> nat_commands() { return kNatCommands; }

}  // namespace wirelay::cli
