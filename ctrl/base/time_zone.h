// Time zones of the system's tzdata by name, and as the numbers by which a process keeps them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace wirelay::ctrl {

inline constexpr uint64_t kUtc = 0;

/// The zone's number in this process; nullopt when there is none of that name. Reads the zone's
/// file when it is asked for first: not for the control thread.
std::optional<uint64_t> zone_number(std::string_view name);
std::string zone_name(uint64_t number);
/// Of a number other than kUtc that zone_number() has given.
const date::time_zone& zone_of(uint64_t number);

}  // namespace wirelay::ctrl
