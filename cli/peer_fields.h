// A peer's fields as options and as lines of a table, by the list in ctrl/base/peer_fields.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <json/value.h>

#include "cli/command.h"

namespace wirelay::cli {

/// The options that set fields of a new peer, or those that change one.
enum class PeerOptions { kNew, kChange };
void describe_peer_fields(po::options_description_easy_init& add, PeerOptions options);
/// What the options name, as part of a PEER; empty when they name nothing. Reads the files that
/// they name.
Json::Value peer_fields(const Call& call);

/// What `peer`, a PEER with its status, holds, by title.
std::vector<std::pair<std::string, std::string>> titled_peer_fields(const Json::Value& peer);

}  // namespace wirelay::cli
