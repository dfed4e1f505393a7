// Reading and writing /sys.
#include "cli/nics.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "cli/errors.h"
#include "cli/first_config.h"

namespace wirelay::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kNetworkClass = "0x02";  // of PCI: all kinds of network controllers
constexpr std::array kDpdkDrivers = {"vfio-pci", "uio_pci_generic", "igb_uio"};
constexpr std::array kSharedDrivers = {"mlx4_core", "mlx5_core"};

/// "" for what cannot be read. Files of /sys and /proc end with a newline.
std::string nic_file_text(const fs::path& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// The last part of where a link leads to; "" when there is none.
std::string link_name(const fs::path& link) {
  std::error_code none;
  return fs::read_symlink(link, none).filename().string();
}

/// "0x8086" as "8086"
std::string hex_digits(const std::string& text) {
  return text.starts_with("0x") ? text.substr(2) : text;
}

/// Interfaces that lead to gateways, of both families.
std::set<std::string> default_interfaces(const fs::path& root) {
  std::set<std::string> found = {default_route(nic_file_text(root / "proc/net/route")).interface};
  std::istringstream routes(nic_file_text(root / "proc/net/ipv6_route"));
  for (std::string line; std::getline(routes, line);) {
    std::istringstream fields(line);
    const std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
    constexpr size_t kFields = 10;  // destination, its length, ..., interface
    if (words.size() == kFields && words[1] == "00" && words.back() != "lo") {
      found.insert(words.back());
    }
  }
  return found;
}

Nic read_nic(const fs::path& root, const fs::path& device,
             const std::set<std::string>& to_gateways) {
  Nic nic;
  nic.address = device.filename().string();
  nic.id = hex_digits(nic_file_text(device / "vendor")) + ':' +
           hex_digits(nic_file_text(device / "device"));
  nic.driver = link_name(device / "driver");
  nic.iommu_group = link_name(device / "iommu_group");
  // Of virtio they stand a folder deeper.
  std::error_code none;
  std::vector<fs::path> folders = {device / "net"};
  for (const auto& part : fs::directory_iterator(device, none)) {
    if (part.path().filename().string().starts_with("virtio")) {
      folders.push_back(part.path() / "net");
    }
  }
  for (const fs::path& folder : folders) {
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      nic.interfaces.push_back(entry.path().filename().string());
    }
  }
  std::ranges::sort(nic.interfaces);
  // A bridge or a bond that has the interface stands in the routes in its place.
  nic.default_route = std::ranges::any_of(nic.interfaces, [&](const std::string& name) {
    const fs::path above = root / "sys/class/net" / name / "master";
    return to_gateways.contains(name) || to_gateways.contains(link_name(above));
  });
  return nic;
}

fs::path pci(const fs::path& root) { return root / "sys/bus/pci"; }

void add_release(std::vector<SysWrite>& steps, const fs::path& root, const Nic& nic) {
  if (nic.driver.empty()) return;
  steps.push_back({pci(root) / "drivers" / nic.driver / "unbind", nic.address});
}

}  // namespace

bool is_dpdk_driver(const std::string& driver) {
  return std::ranges::find(kDpdkDrivers, driver) != kDpdkDrivers.end();
}

bool stays_with_kernel(const std::string& driver) {
  return std::ranges::find(kSharedDrivers, driver) != kSharedDrivers.end();
}

std::string use_text(const Nic& nic) {
  if (is_dpdk_driver(nic.driver)) return "ready, as \"device\": \"" + nic.address + "\"";
  if (stays_with_kernel(nic.driver)) {
    return "ready with its kernel driver, as \"device\": \"" + nic.address + "\"";
  }
  if (nic.default_route) return "leads to this machine's gateway: not without --force";
  return nic.iommu_group.empty() ? "--bind gives it to DPDK, without an IOMMU"
                                 : "--bind gives it to DPDK";
}

std::vector<Nic> read_nics(const fs::path& root) {
  std::vector<Nic> nics;
  const std::set<std::string> to_gateways = default_interfaces(root);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(pci(root) / "devices", none)) {
    if (!nic_file_text(entry.path() / "class").starts_with(kNetworkClass)) continue;
    nics.push_back(read_nic(root, entry.path(), to_gateways));
  }
  std::ranges::sort(nics, {}, &Nic::address);
  return nics;
}

std::vector<SysWrite> bind_steps(const fs::path& root, const Nic& nic) {
  std::vector<SysWrite> steps;
  if (nic.iommu_group.empty()) {
    steps.push_back({root / "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "1"});
  }
  steps.push_back({pci(root) / "devices" / nic.address / "driver_override", "vfio-pci"});
  add_release(steps, root, nic);
  steps.push_back({pci(root) / "drivers_probe", nic.address});
  return steps;
}

std::vector<SysWrite> unbind_steps(const fs::path& root, const Nic& nic) {
  // An empty line takes the override away.
  std::vector<SysWrite> steps = {{pci(root) / "devices" / nic.address / "driver_override", "\n"}};
  add_release(steps, root, nic);
  steps.push_back({pci(root) / "drivers_probe", nic.address});
  return steps;
}

void carry_out(const std::vector<SysWrite>& steps) {
  for (const auto& [file, text] : steps) {
    const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
    const bool written =
        fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    if (fd >= 0) close(fd);
    if (!written) throw Failure(file.string() + ": " + std::strerror(error));
  }
}

}  // namespace wirelay::cli
