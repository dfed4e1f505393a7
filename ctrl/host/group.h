// Groups of this machine.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace wirelay::ctrl {

/// By its name, or by its number in digits; nothing when there is none of that name.
std::optional<gid_t> find_group(const std::string& group);

}  // namespace wirelay::ctrl
