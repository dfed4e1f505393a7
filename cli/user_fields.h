// A user's fields as options and as lines of tables, by the list in ctrl/base/user_fields.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <json/value.h>

#include "cli/command.h"

namespace wirelay::cli {

/// The options that set fields.
void describe_user_fields(po::options_description_easy_init& add);
/// What the options name, as part of a USER; empty when they name nothing.
Json::Value user_fields(const Call& call);

/// The titles of tables, and under each the values of `user`: "20 Mbit/s, 10 kpacket/s", or
/// "unlimited".
std::vector<std::pair<std::string, std::string>> titled_fields(const Json::Value& user);

}  // namespace wirelay::cli
