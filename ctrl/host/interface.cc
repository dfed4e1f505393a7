// Interfaces by the kernel's ioctls.
#include "ctrl/host/interface.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/core.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_ether.h>

#include "ctrl/base/json_reader.h"
#include "ctrl/host/frames.h"

namespace wirelay::ctrl {

namespace {

/// A packet socket that asks for all multicast of the interface; -1 when it cannot be had.
int join_all_multicast(const std::string& name) noexcept {
  packet_mreq wanted{};
  wanted.mr_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
  wanted.mr_type = PACKET_MR_ALLMULTI;
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd >= 0 && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &wanted, sizeof wanted) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

std::optional<std::string> interface_of(const Device& device) {
  if (device.bus == Device::Bus::kVirtual) {
    if (device.driver == "net_af_packet" || device.driver == "net_af_xdp") {
      return device.argument("iface");
    }
    return device.driver == "net_tap" ? device.argument("remote") : std::nullopt;
  }
  std::error_code error;
  const std::filesystem::directory_iterator names("/sys/bus/pci/devices/" + device.name + "/net",
                                                  error);
  if (error || names == std::filesystem::directory_iterator()) return std::nullopt;
  return names->path().filename();
}

bool interface_call(const std::string& name, unsigned long what, ifreq& request) noexcept {
  if (name.size() >= sizeof request.ifr_name) return false;
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool done = ioctl(fd, what, &request) == 0;
  close(fd);
  return done;
}

std::optional<uint32_t> interface_mtu(const std::string& name) {
  ifreq request{};
  if (!interface_call(name, SIOCGIFMTU, request)) return std::nullopt;
  return static_cast<uint32_t>(request.ifr_mtu);
}

bool interface_runs(const std::string& name) {
  constexpr int kRuns = IFF_UP | IFF_RUNNING;
  ifreq request{};
  return interface_call(name, SIOCGIFFLAGS, request) && (request.ifr_flags & kRuns) == kRuns;
}

uint16_t mtu_of(const PortConfig& port) {
  if (port.mtu) return *port.mtu;
  const auto interface = interface_of(parse_device(port.device));
  const auto mtu = interface ? interface_mtu(*interface) : std::nullopt;
  return static_cast<uint16_t>(std::min<uint32_t>(mtu.value_or(RTE_ETHER_MTU), kLargestMtu));
}

uint16_t largest_mtu(const Config& config) {
  uint16_t largest = 0;
  for (const PortConfig& port : config.ports) largest = std::max(largest, mtu_of(port));
  return largest;
}

void check_mtu(const PortConfig& port, const std::string& path, std::vector<Problem>& problems) {
  const Device device = parse_device(port.device);
  const auto interface = interface_of(device);
  const auto mtu = interface ? interface_mtu(*interface) : std::nullopt;
  if (mtu && mtu_of(port) > *mtu) {
    problems.push_back(
        {path + ".mtu",
         fmt::format("found {}, but the interface {} has an MTU of {}; \"ip link set "
                     "{} mtu {}\" raises it",
                     mtu_of(port), in_quotes(*interface), *mtu, *interface, mtu_of(port))});
  } else if (mtu && *mtu < kLeastMtu) {
    problems.push_back({path + ".mtu", fmt::format("the interface {} has an MTU of {}, expected at "
                                                   "least {}",
                                                   in_quotes(*interface), *mtu, kLeastMtu)});
  }
  if (const auto wrong = wrong_frames(device, mtu_of(port))) {
    problems.push_back({path + ".device", *wrong});
  }
}

BorrowedInterface::BorrowedInterface(std::string name)
    : name_(std::move(name)), socket_(join_all_multicast(name_)) {
  ifreq request{};
  if (interface_call(name_, SIOCGIFFLAGS, request)) flags_ = request.ifr_flags;
}

BorrowedInterface::BorrowedInterface(BorrowedInterface&& other) noexcept
    : name_(std::exchange(other.name_, "")),
      flags_(other.flags_),
      socket_(std::exchange(other.socket_, -1)) {}

BorrowedInterface::~BorrowedInterface() {
  if (!name_.empty()) restore();
  if (socket_ >= 0) close(socket_);
}

void BorrowedInterface::restore() const noexcept {
  constexpr short kModes = IFF_PROMISC | IFF_ALLMULTI;
  ifreq request{};
  if (!interface_call(name_, SIOCGIFFLAGS, request) ||
      (request.ifr_flags & kModes) == (flags_ & kModes)) {
    return;
  }
  request.ifr_flags = static_cast<short>((request.ifr_flags & ~kModes) | (flags_ & kModes));
  interface_call(name_, SIOCSIFFLAGS, request);
}

}  // namespace wirelay::ctrl
