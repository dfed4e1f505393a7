// Starting DPDK, and saying why it did not start.
#include "ctrl/host/eal.h"

#include <algorithm>

#include <fmt/core.h>

#include <rte_config.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "ctrl/base/device.h"
#include "ctrl/base/memif_sockets.h"
#include "ctrl/host/frames.h"
#include "ctrl/host/interface.h"
#include "ctrl/host/machine.h"
#include "ctrl/host/stop_request.h"

namespace wirelay::ctrl {

namespace {

std::string lcores(const Config& config) {
  std::string text = fmt::format("0@{}", config.control_core);
  for (unsigned i = 0; i < config.worker_cores.size(); ++i) {
    text += fmt::format(",{}@{}", lcore_of_worker(i), config.worker_cores[i]);
  }
  return text;
}

std::vector<Device> devices_of(const Config& config) {
  std::vector<Device> devices;
  for (const PortConfig& port : config.ports) {
    devices.push_back(with_frames(parse_device(port.device), mtu_of(port)));
  }
  return devices;
}

/// Refuses what the machine lacks; otherwise tells whether it offers huge pages.
bool check_machine(const Config& config) {
  const Machine machine;
  auto lacks = machine.lacks(config);
  if (!lacks.empty()) throw Refused(std::move(lacks));
  return machine.huge_pages(config);
}

/// Throws what EAL's refusal comes from: a device that no driver knows, or its last word.
[[noreturn]] void refuse_start(const Config& config, const std::vector<std::string>& lines,
                               int error) {
  for (size_t i = 0; i < config.ports.size(); ++i) {
    const std::string& text = config.ports[i].device;
    const bool unparsed = std::ranges::any_of(lines, [&](const std::string& line) {
      return line.find("parse device") != std::string::npos && line.find(text) != std::string::npos;
    });
    if (!unparsed) continue;
    throw Refused(
        fmt::format("ports[{}].device", i),
        fmt::format("DPDK has no driver for \"{}\"; expected a PCI address, or a name such as "
                    "net_af_packet0, net_af_xdp0, net_tap0, net_memif0 with its arguments",
                    text));
  }
  const std::string last = lines.empty() ? "it said nothing" : lines.back();
  throw std::runtime_error(fmt::format("DPDK does not start: {} ({}); --verbose shows all it says",
                                       rte_strerror(std::abs(error)), last));
}

std::optional<uint16_t> find_port(const Device& device) {
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(device.name.c_str(), &id) == 0) return id;
  // Some drivers name their ports otherwise than the device.
  RTE_ETH_FOREACH_DEV(id) {
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(id, &info) == 0 && info.device != nullptr &&
        device.name == rte_dev_name(info.device)) {
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> eal_arguments(const Config& config, bool huge_pages) {
  std::vector<std::string> args = {"relayd", "--lcores",      lcores(config), "--main-lcore",
                                   "0",      "--file-prefix", "wirelay",      "--no-telemetry"};
  const auto add = [&](std::initializer_list<std::string> more) { args.insert(args.end(), more); };
  // Nothing in files that a second relay, or the next start, could trip over.
  if (huge_pages) {
    add({"--in-memory"});
  } else {
    add({"--no-huge", "--no-shconf", "-m",
         std::to_string(dpdk_bytes(config, kSmallPage) / kMiB + 1)});
  }
  bool hardware = false;
  for (const Device& device : devices_of(config)) {
    if (device.bus == Device::Bus::kVirtual) {
      add({"--vdev", device.text});
    } else {
      add({"--allow", device.text});
      hardware = true;
    }
  }
  if (!hardware) add({"--no-pci", "--iova-mode", "va"});
  return args;
}

Eal::Eal(const Config& config, bool verbose) : huge_pages_(check_machine(config)), log_(verbose) {
  stop_if_requested();
  std::vector<std::string> args = eal_arguments(config, huge_pages_);
  std::vector<char*> argv;
  argv.reserve(args.size() + 1);
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  int result = 0, error = 0;
  {
    const MemifSockets sockets(devices_of(config));
    result = rte_eal_init(static_cast<int>(args.size()), argv.data());
    error = rte_errno;
  }
  log_.started();
  if (result < 0) refuse_start(config, log_.lines(), error);
  try {
    stop_if_requested();
    find_ports(config);
  } catch (...) {
    rte_eal_cleanup();
    throw;
  }
}

Eal::~Eal() { rte_eal_cleanup(); }

void Eal::find_ports(const Config& config) {
  std::vector<Problem> problems;
  for (size_t i = 0; i < config.ports.size(); ++i) {
    const Device device = parse_device(config.ports[i].device);
    const auto id = find_port(device);
    if (id && *id < dataplane::kMaxPorts) {
      ports_.push_back(*id);
      continue;
    }
    std::string reason = explain(log_.lines(), device.name);
    if (reason.empty()) reason = "its driver refuses it without a word; are its arguments right?";
    problems.push_back({fmt::format("ports[{}].device", i),
                        fmt::format("{} does not start: {}", device.name, reason)});
  }
  if (!problems.empty()) throw Refused(std::move(problems));
}

}  // namespace wirelay::ctrl
