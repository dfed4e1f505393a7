// Sizes of af_packet's frames.
#include "ctrl/host/frames.h"

#include <charconv>

#include <fmt/core.h>

#include "dataplane/dataplane.h"

namespace wirelay::ctrl {

namespace {

/// In front of a received packet: the kernel's header and its slack for the Ethernet header
/// (linux/if_packet.h; tpacket_rcv()).
constexpr uint32_t kHeader = 66;
constexpr uint32_t kEthernet = 18;      // header and a VLAN tag
constexpr uint32_t kDriverHeader = 32;  // what the driver takes off a frame to tell its room
constexpr uint32_t kDefaultFrame = 2048;
constexpr uint32_t kFramesOfBlock = 4;  // of whole KiB: blocks are whole pages

bool named(const Device& device) {
  return device.argument("framesz") || device.argument("blocksz");
}

uint32_t number(const Device& device, const char* key, uint32_t otherwise) {
  const std::string text = device.argument(key).value_or("");
  uint32_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string arguments(uint16_t mtu) {
  const uint32_t frame = dataplane::frame_room(mtu);
  return fmt::format("framesz={},blocksz={}", frame, kFramesOfBlock * frame);
}

}  // namespace

Device with_frames(Device device, uint16_t mtu) {
  if (device.driver == "net_af_packet" && !named(device) &&
      dataplane::frame_room(mtu) > kDefaultFrame) {
    device.text += ',' + arguments(mtu);
  }
  return device;
}

std::optional<std::string> wrong_frames(const Device& device, uint16_t mtu) {
  if (device.driver != "net_af_packet" || !named(device)) return std::nullopt;
  const uint32_t frame = number(device, "framesz", kDefaultFrame);
  const uint32_t least = mtu + kEthernet + kHeader;
  const uint32_t most = dataplane::frame_room(mtu) + kDriverHeader;
  if (frame >= least && frame <= most) return std::nullopt;
  return fmt::format("found frames of {} bytes, expected {} to {} for an MTU of {}, such as \"{}\"",
                     frame, least, most, mtu, arguments(mtu));
}

}  // namespace wirelay::ctrl
