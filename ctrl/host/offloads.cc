// Offloads by ethtool's ioctl.
#include "ctrl/host/offloads.h"

#include <cstring>
#include <string_view>

#include <fmt/core.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>

#include "ctrl/host/interface.h"

namespace wirelay::ctrl {

namespace {

constexpr uint32_t kLro = 1u << 15;  // ETH_FLAG_LRO of ETHTOOL_GFLAGS

/// An answer of ethtool; 0 when the driver knows no such thing.
uint32_t flags_of(const std::string& interface, uint32_t question) {
  ethtool_value value{question, 0};
  ifreq request{};
  request.ifr_data = reinterpret_cast<char*>(&value);
  return interface_call(interface, SIOCETHTOOL, request) ? value.data : 0;
}

std::string driver_of_interface(const std::string& interface) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  request.ifr_data = reinterpret_cast<char*>(&info);
  return interface_call(interface, SIOCETHTOOL, request) ? info.driver : "";
}

}  // namespace

std::optional<std::string> harmful_offloads(const std::string& interface) {
  const std::string driver = driver_of_interface(interface);
  std::string on;
  const auto note = [&](std::string_view name, bool is_on) {
    if (is_on) on += fmt::format(" {} off", name);
  };
  note("gro", flags_of(interface, ETHTOOL_GGRO) != 0);
  note("lro", (flags_of(interface, ETHTOOL_GFLAGS) & kLro) != 0);
  // What one end of a veth may leave out, the other end receives without.
  note("tx", driver == "veth" && flags_of(interface, ETHTOOL_GTXCSUM) != 0);
  note("tso", driver == "veth" && flags_of(interface, ETHTOOL_GTSO) != 0);
  // The host vouches for checksums that are not there yet.
  note("rx", driver == "virtio_net" && flags_of(interface, ETHTOOL_GRXCSUM) != 0);
  if (on.empty()) return std::nullopt;
  return fmt::format(
      "interface {} may hand over packets that are merged or lack their checksum; turn that off{} "
      "with \"ethtool -K {}{}\"",
      interface, driver == "veth" ? ", at both ends," : "", interface, on);
}

}  // namespace wirelay::ctrl
