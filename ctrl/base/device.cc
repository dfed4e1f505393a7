// Devices by their text form.
#include "ctrl/base/device.h"

#include <algorithm>
#include <array>

namespace wirelay::ctrl {

namespace {

constexpr std::string_view kVirtualBus = "vdev:";

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

/// "3b:00.0".
bool is_bus_address(std::string_view text) {
  return text.size() == 7 && is_hex(text.substr(0, 2)) && text[2] == ':' &&
         is_hex(text.substr(3, 2)) && text[5] == '.' && text[6] >= '0' && text[6] <= '7';
}

/// The address as DPDK has it, "0000:3b:00.0", of "[pci:][0000:]3B:00.0".
std::optional<std::string> pci_name(std::string_view head) {
  if (head.starts_with("pci:")) head.remove_prefix(4);
  std::string name(head);
  if (is_bus_address(head)) {
    name = "0000:" + name;
  } else {
    const size_t colon = head.find(':');
    if (colon < 4 || colon > 8 || !is_hex(head.substr(0, colon)) ||
        !is_bus_address(head.substr(colon + 1))) {
      return std::nullopt;
    }
  }
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c);
  return name;
}

/// What DPDK takes for a virtual device's driver: whichever its name begins with, by either of the
/// driver's names.
struct Driver {
  std::string_view begins, name;
};
constexpr std::array kDrivers = {
    Driver{"net_memif", "net_memif"},
    Driver{"net_af_packet", "net_af_packet"},
    Driver{"eth_af_packet", "net_af_packet"},
    Driver{"net_af_xdp", "net_af_xdp"},
    Driver{"net_tap", "net_tap"},
    Driver{"eth_tap", "net_tap"},
};

/// Of drivers that nobody here asks for, the name without its number.
std::string driver_of(std::string_view name) {
  for (const Driver& driver : kDrivers) {
    if (name.starts_with(driver.begins)) return std::string(driver.name);
  }
  return std::string(name.substr(0, name.find_last_not_of("0123456789") + 1));
}

/// A memif device's socket is a file that the driver makes as the umask says, not an abstract name
/// that every local user may open: unless its arguments say otherwise.
void make_socket_private(Device& device) {
  if (device.driver != "net_memif" || device.argument("socket-abstract")) return;
  if (!device.argument("socket")) device.text += ",socket=/run/wirelay/" + device.name + ".sock";
  device.text += ",socket-abstract=no";
}

}  // namespace

std::optional<std::string> Device::argument(std::string_view key) const {
  for (size_t at = text.find(','); at != std::string::npos;) {
    const size_t end = text.find(',', at + 1);
    const std::string_view item = std::string_view(text).substr(
        at + 1, end == std::string::npos ? std::string::npos : end - at - 1);
    if (item.size() > key.size() && item.starts_with(key) && item[key.size()] == '=') {
      return std::string(item.substr(key.size() + 1));
    }
    at = end;
  }
  return std::nullopt;
}

std::optional<std::string> Device::served_socket() const {
  const auto role = argument("role"), abstract = argument("socket-abstract");
  if (driver != "net_memif" || (role != "server" && role != "master") || abstract != "no") {
    return std::nullopt;
  }
  return argument("socket");
}

Device parse_device(const std::string& text) {
  const std::string head = text.substr(0, text.find(','));
  if (const auto name = pci_name(head)) {
    return {Device::Bus::kPci, *name, "", *name + text.substr(head.size())};
  }
  if (head.starts_with(kVirtualBus)) return parse_device(text.substr(kVirtualBus.size()));
  if (const size_t colon = head.find(':'); colon != std::string::npos) {
    return {Device::Bus::kOther, head.substr(colon + 1), "", text};
  }
  Device device{Device::Bus::kVirtual, head, driver_of(head), text};
  make_socket_private(device);
  return device;
}

}  // namespace wirelay::ctrl
