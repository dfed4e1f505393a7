// Names in maps. Internal to ctrl/users.
#pragma once

#include <string>
#include <utility>

namespace wirelay::ctrl {

/// What stands under one name stands under the other from now on, and where it was. Nothing does
/// there yet.
template <typename Map>
void give_name(Map& map, const std::string& from, const std::string& to) {
  if (from == to) return;
  auto node = map.extract(from);
  node.key() = to;
  map.insert(std::move(node));
}

}  // namespace wirelay::ctrl
