// Offloads of the kernel's interfaces that spoil packets for a port: what is merged is larger than
// the MTU, and what was sent without a checksum would go into a tunnel so.
#pragma once

#include <optional>
#include <string>

namespace wirelay::ctrl {

/// What is left on at an interface, and how to turn it off; nullopt when nothing is.
std::optional<std::string> harmful_offloads(const std::string& interface);

}  // namespace wirelay::ctrl
