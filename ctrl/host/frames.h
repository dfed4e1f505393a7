// The ring of frames that an af_packet port shares with the kernel: a frame holds one packet and
// the kernel's header, and larger packets are cut or not sent without a word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ctrl/base/device.h"

namespace wirelay::ctrl {

/// The device with frames for packets of `mtu` bytes, where its arguments say nothing of frames.
Device with_frames(Device device, uint16_t mtu);

/// Why the frames that its arguments name do not do; nullopt when they do.
std::optional<std::string> wrong_frames(const Device& device, uint16_t mtu);

}  // namespace wirelay::ctrl
