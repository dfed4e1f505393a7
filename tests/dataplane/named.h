// Short names for what the tests of tables are full of.
#pragma once

#include <string>

#include "dataplane/ip.h"
#include "dataplane/tables/prefix.h"

namespace wirelay::dataplane {

inline IpAddr ip_of(const std::string& text) { return parse_ip(text).value(); }
inline Prefix prefix_of(const std::string& text) { return parse_prefix(text).value(); }
inline RouteTarget peer_target(uint32_t number) {
  return RouteTarget::make(RouteKind::kPeer, number);
}

}  // namespace wirelay::dataplane
