// The machine behind /proc and /sys.
#include "ctrl/host/machine.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>

#include <fmt/core.h>
#include <net/if.h>
#include <unistd.h>

#include "ctrl/base/json_reader.h"
#include "ctrl/host/control_group.h"
#include "ctrl/host/group.h"
#include "ctrl/host/interface.h"
#include "dataplane/dataplane.h"

namespace wirelay::ctrl {

namespace {

// Of <linux/capability.h>.
using Capability = Machine::Capability;
constexpr Capability kNetAdmin{12, "CAP_NET_ADMIN", 12}, kNetRaw{13, "CAP_NET_RAW", 13},
    kBpf{39, "CAP_BPF", 21};  // CAP_SYS_ADMIN

constexpr std::array kAfPacket = {kNetRaw, kNetAdmin};     // its socket; flags, promiscuous mode
constexpr std::array kAfXdp = {kNetRaw, kNetAdmin, kBpf};  // its socket; queues; its program
constexpr std::array kTap = {kNetAdmin};

/// What virtual drivers ask of the machine; those not listed, such as memif and rings, ask for
/// nothing that is checked here.
struct DriverNeeds {
  std::string_view driver;
  bool interface;  // "iface" names an interface that exists
  std::span<const Capability> capabilities;
};
constexpr std::array kNeeds = {
    DriverNeeds{"net_af_packet", true, kAfPacket},
    DriverNeeds{"net_af_xdp", true, kAfXdp},
    DriverNeeds{"net_tap", false, kTap},
};

/// Kernel drivers that give a PCI device to user space; mlx4 and mlx5 share theirs with DPDK.
constexpr std::array<std::string_view, 5> kUserDrivers = {"vfio-pci", "uio_pci_generic", "igb_uio",
                                                          "mlx4_core", "mlx5_core"};

/// Whether a list of ranges as the kernel writes it, "0-3,8", holds `number`.
bool in_ranges(const std::string& list, unsigned number) {
  std::istringstream ranges(list);
  for (std::string range; std::getline(ranges, range, ',');) {
    unsigned first = 0, last = 0;
    const int parts = std::sscanf(range.c_str(), "%u-%u", &first, &last);
    if (parts == 1) last = first;
    if (parts >= 1 && number >= first && number <= last) return true;
  }
  return false;
}

/// The text behind `key` in a file of "key:	value" lines; not in the first of them.
std::string value_of(const std::string& text, const std::string& key) {
  const size_t at = text.find("\n" + key + ":");
  if (at == std::string::npos) return "";
  const size_t begin = text.find_first_not_of(" \t", at + key.size() + 2);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() <= ' ') text.pop_back();
  return text;
}

/// As the kernel judges (dev_valid_name()); drivers would only say that they failed.
bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/: ") == std::string_view::npos;
}

}  // namespace

uint64_t dpdk_bytes(const Config& config, uint64_t page_bytes) {
  const uint64_t rings = config.worker_cores.size() * 2 * kMiB;
  const uint64_t drivers = config.ports.size() * (4 + config.worker_cores.size()) * kMiB;
  return dataplane::pool_bytes(config.sizes.mbufs, largest_mtu(config), page_bytes) + rings +
         drivers + 16 * kMiB;
}

std::string Machine::read(const std::string& path) const {
  std::ifstream in(root_ + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool Machine::online(unsigned core) const {
  return in_ranges(read("/sys/devices/system/cpu/online"), core);
}

bool Machine::permitted(unsigned core) const {
  return in_ranges(value_of(read("/proc/self/status"), "Cpus_allowed_list"), core);
}

bool Machine::capable(unsigned capability) const {
  const std::string text = value_of(read("/proc/self/status"), "CapEff");
  uint64_t bits = 0;
  std::from_chars(text.data(), text.data() + text.size(), bits, 16);
  return (bits >> capability & 1) != 0;
}

uint64_t Machine::free_huge_bytes() const {
  // EAL takes pages of any size, but memory that lies together of one size only.
  uint64_t most = 0;
  std::error_code error;
  const std::string sizes = "/sys/kernel/mm/hugepages/";
  for (const auto& entry : std::filesystem::directory_iterator(root_ + sizes, error)) {
    const std::string name = entry.path().filename();
    unsigned long long kib = 0, pages = 0;
    if (std::sscanf(name.c_str(), "hugepages-%llukB", &kib) != 1) continue;
    std::istringstream(read(sizes + name + "/free_hugepages")) >> pages;
    most = std::max<uint64_t>(most, kib * 1024 * pages);
  }
  return most;
}

bool Machine::huge_pages(const Config& config) const {
  return config.huge_pages != HugePages::kNever &&
         free_huge_bytes() >= dpdk_bytes(config, kHugePage);
}

uint64_t Machine::available_bytes() const {
  const std::string text = value_of(read("/proc/meminfo"), "MemAvailable");
  uint64_t kib = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), kib);
  return end.ec == std::errc() ? kib * 1024 : UINT64_MAX;
}

void Machine::check_core(unsigned core, const std::string& path,
                         std::vector<Problem>& problems) const {
  if (!online(core)) {
    problems.push_back({path, fmt::format("this machine has no core {}; online are {}", core,
                                          trimmed(read("/sys/devices/system/cpu/online")))});
  } else if (!permitted(core)) {
    problems.push_back(
        {path, fmt::format("this process may not run on core {}, only on {}; see taskset, or "
                           "AllowedCPUs= of its service",
                           core, value_of(read("/proc/self/status"), "Cpus_allowed_list"))});
  }
}

void Machine::check_pci(const Device& device, const std::string& path,
                        std::vector<Problem>& problems) const {
  namespace fs = std::filesystem;
  const fs::path directory = root_ + "/sys/bus/pci/devices/" + device.name;
  std::error_code error;
  if (!fs::exists(directory, error)) {
    problems.push_back({path, fmt::format("this machine has no PCI device {}; \"lspci -D\" lists "
                                          "those it has",
                                          device.name)});
    return;
  }
  const std::string driver = fs::read_symlink(directory / "driver", error).filename();
  if (std::ranges::find(kUserDrivers, driver) == kUserDrivers.end()) {
    problems.push_back(
        {path,
         fmt::format("{} is bound to {}, which keeps it for the kernel; give it to user space "
                     "with \"relayctl setup nic --bind {}\"",
                     device.name, driver.empty() ? "no driver" : driver, device.name)});
    return;
  }
  const std::string group = fs::read_symlink(directory / "iommu_group", error).filename();
  const std::string file = "/dev/vfio/" + group;
  if (driver == "vfio-pci" && !group.empty() && access((root_ + file).c_str(), R_OK | W_OK) != 0) {
    problems.push_back({path, fmt::format("{} may not be opened by this process; run relayd as "
                                          "root, or give its user {}",
                                          device.name, file)});
  }
}

void Machine::check_device(const Device& device, const std::string& path,
                           std::vector<Problem>& problems) const {
  if (device.bus == Device::Bus::kPci) return check_pci(device, path, problems);
  const auto needs = std::ranges::find(kNeeds, device.driver, &DriverNeeds::driver);
  if (needs == kNeeds.end()) return;
  for (const char* key : {"iface", "remote"}) {
    const auto name = device.argument(key);
    if (!name || is_interface_name(*name)) continue;
    problems.push_back({path, fmt::format("found {}={}, expected the name of an interface: 1 to {} "
                                          "characters without \"/\" and \":\"",
                                          key, in_quotes(*name), IFNAMSIZ - 1)});
    return;
  }
  if (needs->interface) {
    const auto interface = device.argument("iface");
    if (!interface) {
      problems.push_back({path, fmt::format("{} needs an interface: \"{},iface=eth1\"",
                                            device.driver, device.name)});
    } else if (if_nametoindex(interface->c_str()) == 0) {
      problems.push_back({path, fmt::format("there is no interface {} here; \"ip link\" lists "
                                            "those there are",
                                            in_quotes(*interface))});
    }
  }
  check_capabilities(device, needs->capabilities, path, problems);
}

void Machine::check_capabilities(const Device& device, std::span<const Capability> capabilities,
                                 const std::string& path, std::vector<Problem>& problems) const {
  std::string missing;
  for (const Capability& one : capabilities) {
    if (capable(one.number) || capable(one.wider)) continue;
    missing.append(missing.empty() ? "" : " and ").append(one.name);
  }
  if (missing.empty()) return;
  problems.push_back(
      {path, fmt::format("{} needs {}, which this process lacks; run relayd as root, or add it to "
                         "AmbientCapabilities= of its service",
                         device.driver, missing)});
}

/// What SocketFile will need. Others' limits are told when it is made.
void Machine::check_control_socket(const std::string& path, std::vector<Problem>& problems) const {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto status = fs::symlink_status(root_ + path, error);
  if (fs::exists(status) && !fs::is_socket(status)) {
    problems.push_back({"control_socket", fmt::format("{} is there, and no socket; remove it, or "
                                                      "name another path",
                                                      path)});
    return;
  }
  fs::path directory = fs::path(path).parent_path();
  while (!fs::exists(root_ + directory.string(), error) && directory.has_relative_path()) {
    directory = directory.parent_path();
  }
  const std::string there = root_ + directory.string();
  if (!fs::is_directory(there, error)) {
    problems.push_back(
        {"control_socket", fmt::format("cannot be made: {} is no directory", directory.string())});
  } else if (access(there.c_str(), W_OK | X_OK) != 0) {
    problems.push_back(
        {"control_socket",
         fmt::format("cannot be made: this process may not write "
                     "to {}; run relayd as root, or name RuntimeDirectory= in its service",
                     directory.string())});
  }
}

void Machine::check_group(const char* field, const std::string& group,
                          std::vector<Problem>& problems) {
  if (group.empty() || find_group(group)) return;
  problems.push_back({field, fmt::format("there is no group {} here; \"groupadd --system {}\" "
                                         "makes it",
                                         in_quotes(group), group)});
}

void Machine::check_memory(const Config& config, std::vector<Problem>& problems) const {
  if (huge_pages(config)) return;
  if (config.huge_pages == HugePages::kRequired) {
    const uint64_t needed = dpdk_bytes(config, kHugePage);
    problems.push_back(
        {"huge_pages", fmt::format("found \"required\", but {} MiB of huge pages are free and {} "
                                   "MiB are needed; reserve them with \"sysctl "
                                   "vm.nr_hugepages={}\", or set \"auto\"",
                                   free_huge_bytes() / kMiB, needed / kMiB,
                                   (needed + kHugePage - 1) / kHugePage)});
    return;
  }
  const uint64_t needed = dpdk_bytes(config, kSmallPage);
  const uint64_t available = available_bytes(), limit = control_group_limit(root_);
  if (needed <= std::min(available, limit)) return;
  const std::string bound =
      limit < available
          ? fmt::format(
                "the limit of the control group is {} MiB; name fewer buffers, or raise "
                "MemoryMax= of the service",
                limit / kMiB)
          : fmt::format("{} MiB are available; name fewer buffers, or give the machine more memory",
                        available / kMiB);
  problems.push_back(
      {"sizes.mbufs", fmt::format("{} packet buffers, and what else DPDK needs, take {} MiB of "
                                  "memory, and {}",
                                  config.sizes.mbufs, needed / kMiB, bound)});
}

std::vector<Problem> Machine::lacks(const Config& config) const {
  std::vector<Problem> problems;
  check_core(config.control_core, "workers.control_core", problems);
  for (size_t i = 0; i < config.worker_cores.size(); ++i) {
    check_core(config.worker_cores[i], fmt::format("workers.cores[{}]", i), problems);
  }
  for (size_t i = 0; i < config.ports.size(); ++i) {
    const std::string path = fmt::format("ports[{}]", i);
    check_device(parse_device(config.ports[i].device), path + ".device", problems);
    check_mtu(config.ports[i], path, problems);
  }
  check_control_socket(config.control_socket, problems);
  check_group("control_socket_group", config.control_socket_group, problems);
  check_group("control_read_group", config.control_read_group, problems);
  check_memory(config, problems);
  return problems;
}

}  // namespace wirelay::ctrl
