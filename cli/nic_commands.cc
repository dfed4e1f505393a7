// relayctl setup nic: which network cards there are, and giving them to DPDK or back to the kernel.
#include <algorithm>
#include <array>

#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/format.h"
#include "cli/nics.h"
#include "cli/programs.h"

namespace wirelay::cli {

namespace fs = std::filesystem;

namespace {

Json::Value json_of(const Nic& nic) {
  Json::Value out(Json::objectValue);
  out["address"] = nic.address;
  out["id"] = nic.id;
  out["driver"] = nic.driver;
  out["iommu_group"] = nic.iommu_group;
  out["interfaces"] = Json::Value(Json::arrayValue);
  for (const std::string& name : nic.interfaces) out["interfaces"].append(name);
  out["default_route"] = nic.default_route;
  out["dpdk"] = is_dpdk_driver(nic.driver) || stays_with_kernel(nic.driver);
  return out;
}

std::string or_none(const std::string& text) { return text.empty() ? "-" : text; }

void print_nics(Call& call, const std::vector<Nic>& nics) {
  Json::Value result(Json::objectValue);
  result["nics"] = Json::Value(Json::arrayValue);
  for (const Nic& nic : nics) result["nics"].append(json_of(nic));
  if (printed_json(call, result)) return;
  if (nics.empty()) {
    call.out << "no network card is on the PCI bus\n";
    return;
  }
  Table table({"ADDRESS", "ID", "DRIVER", "IOMMU GROUP", "INTERFACES", "USE"});
  for (const Nic& nic : nics) {
    std::string interfaces;
    for (const std::string& name : nic.interfaces) {
      interfaces += (interfaces.empty() ? "" : ", ") + printable(name);
    }
    table.add({nic.address, nic.id, or_none(nic.driver), or_none(nic.iommu_group),
               or_none(interfaces), use_text(nic)});
  }
  table.print(call.out);
}

/// Of those that are named; an address without its domain is of the first. Throws Failure.
std::vector<Nic> named_nics(const Call& call, const std::vector<Nic>& all) {
  std::vector<Nic> named;
  for (const std::string& word : call.arguments()) {
    const auto found = std::ranges::find_if(
        all, [&](const Nic& nic) { return nic.address == word || nic.address == "0000:" + word; });
    if (found == all.end()) {
      throw Failure(word + ": no network card has this address; \"relayctl setup nic\" lists them");
    }
    named.push_back(*found);
  }
  return named;
}

void check_bindable(const Call& call, const Nic& nic) {
  if (stays_with_kernel(nic.driver)) {
    throw Failure(nic.address + ": DPDK uses it with its kernel driver: nothing is to be done");
  }
  if (nic.default_route && !call.has("force")) {
    throw Failure(nic.address +
                  " leads to this machine's gateway: whoever works on it from afar would lose it; "
                  "--force does it all the same");
  }
}

/// vfio-pci is loaded where it is not there yet.
void need_vfio(Call& call, const fs::path& root) {
  if (fs::exists(root / "sys/bus/pci/drivers/vfio-pci")) return;
  if (call.has("dry-run")) {
    call.out << "modprobe vfio-pci\n";
  } else if (run_program({"modprobe", "vfio-pci"}) != 0) {
    throw Failure("the kernel has no driver vfio-pci, or does not load it (modprobe vfio-pci)");
  }
}

void do_or_print(Call& call, const std::vector<SysWrite>& steps) {
  if (!call.has("dry-run")) return carry_out(steps);
  for (const SysWrite& step : steps) {
    call.out << "echo " << (step.text == "\n" ? "" : step.text + ' ') << "> " << step.file.string()
             << '\n';
  }
}

void bind(Call& call, const fs::path& root, const std::vector<Nic>& nics) {
  for (const Nic& nic : nics) check_bindable(call, nic);
  need_vfio(call, root);
  for (const Nic& nic : nics) {
    if (is_dpdk_driver(nic.driver)) continue;
    if (nic.iommu_group.empty()) {
      call.err
          << "WARNING: " << nic.address
          << ": this machine has no IOMMU, or it is switched off: the card can write to all of "
             "its memory, and so can whoever controls relayd\n";
    }
    do_or_print(call, bind_steps(root, nic));
  }
}

void unbind(Call& call, const fs::path& root, const std::vector<Nic>& nics) {
  for (const Nic& nic : nics) {
    if (is_dpdk_driver(nic.driver)) do_or_print(call, unbind_steps(root, nic));
  }
}

/// What the kernel took without a word may not have come to pass.
void check_result(const Call& call, const fs::path& root, bool bound) {
  for (const Nic& nic : named_nics(call, read_nics(root))) {
    if (stays_with_kernel(nic.driver) || is_dpdk_driver(nic.driver) == bound) continue;
    throw Failure(nic.address + " is with " +
                  (nic.driver.empty() ? "no driver" : "driver " + nic.driver) +
                  " all the same; the kernel's log (dmesg) may tell why");
  }
}

void setup_nic(Call& call) {
  const fs::path root = call.text("root").value_or("/");
  const std::vector<Nic> all = read_nics(root);
  const bool binds = call.has("bind"), unbinds = call.has("unbind");
  if (binds && unbinds) throw UsageError("--bind and --unbind: only one of them");
  if (binds == unbinds) {
    if (!call.arguments().empty()) throw UsageError("say what to do with it: --bind or --unbind");
    return print_nics(call, all);
  }
  if (call.arguments().empty()) throw UsageError("say which card, by its address");
  if (call.has("dry-run") && call.json()) throw UsageError("--dry-run and --json: only one");
  const std::vector<Nic> named = named_nics(call, all);
  binds ? bind(call, root, named) : unbind(call, root, named);
  if (call.has("dry-run")) return;
  check_result(call, root, binds);
  print_nics(call, named_nics(call, read_nics(root)));
}

void describe_nic(po::options_description_easy_init add) {
  add("bind", "give these cards to DPDK: to the driver vfio-pci")      //
      ("unbind", "give them back to the kernel's own drivers")         //
      ("dry-run", "print what would be done, as a shell would do it")  //
      ("force", "also a card that leads to this machine's gateway")    //
      ("root", po::value<std::string>()->value_name("FOLDER"),
       "where sys and proc are found; else /");
}

constexpr std::array kNicCommands = {
    Command{"setup nic", "[ADDRESS...]", 0, kAnyNumber,
            "list network cards, give them to DPDK or back to the kernel",
            "relayctl setup nic\nrelayctl setup nic --bind 0000:3b:00.0 --dry-run\n"
            "relayctl setup nic --unbind 0000:3b:00.0",
            describe_nic, setup_nic},
};

}  // namespace

std::span<const Command> nic_commands() { return kNicCommands; }

}  // namespace wirelay::cli
