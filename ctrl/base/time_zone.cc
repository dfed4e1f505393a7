// A zone's number is its place in the list of all zones, which stays the same while the process
// runs. UTC needs no list, and none of the files.
#include "ctrl/base/time_zone.h"

#include <chrono>
#include <stdexcept>

#include <date/tz.h>

namespace wirelay::ctrl {

namespace {

const date::time_zone* find_zone(std::string_view name) {
  try {
    const date::time_zone* zone = date::locate_zone(name);
    zone->get_info(std::chrono::system_clock::now());  // reads its file
    return zone;
  } catch (const std::runtime_error&) {  // no such zone, or no tzdata at all
    return nullptr;
  }
}

}  // namespace

std::optional<uint64_t> zone_number(std::string_view name) {
  if (name == "UTC") return kUtc;
  const date::time_zone* zone = find_zone(name);
  if (zone == nullptr) return std::nullopt;
  return static_cast<uint64_t>(zone - date::get_tzdb().zones.data()) + 1;
}

std::string zone_name(uint64_t number) {
  return number == kUtc ? "UTC" : std::string(zone_of(number).name());
}

const date::time_zone& zone_of(uint64_t number) { return date::get_tzdb().zones[number - 1]; }

}  // namespace wirelay::ctrl
