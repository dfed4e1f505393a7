// Peers as a table, for peer list and user show.
#pragma once

#include <ostream>

#include <json/value.h>

namespace wirelay::cli {

enum class PeerColumns { kAll, kOfOneUser };

void print_peers(std::ostream& out, const Json::Value& peers, PeerColumns columns);

/// "10.77.0.2/32, fd77::2/128"
std::string joined(const Json::Value& texts);

}  // namespace wirelay::cli
