// What a port's "device" text names: a device on a bus, or a virtual one with its arguments.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

struct Device {
  enum class Bus {
    kPci,      // "0000:3b:00.0"
    kVirtual,  // "net_af_packet0,iface=eth1"
    kOther,    // "auxiliary:mlx5_core.sf.4", as EAL's -a takes it
  };
  Bus bus;
  std::string name;    // as DPDK calls it; a PCI address with its domain
  std::string driver;  // kVirtual: which DPDK will take, "net_af_packet"
  std::string text;    // for EAL's command line: name and arguments, a memif's socket among them

  /// The value of an argument: "eth1" of "iface".
  [[nodiscard]] std::optional<std::string> argument(std::string_view key) const;
  /// The file that a memif server will listen on.
  [[nodiscard]] std::optional<std::string> served_socket() const;
};

Device parse_device(const std::string& text);

}  // namespace wirelay::ctrl
