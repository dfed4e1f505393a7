// JSON as relayctl reads and writes it.
#pragma once

#include <string>
#include <string_view>

#include <json/value.h>

namespace wirelay::cli {

/// Throws Failure with the place of the mistake. Comments are allowed, as in configurations.
Json::Value parse(std::string_view text);
/// On one line, without a newline.
std::string to_line(const Json::Value& value);
/// Indented, with a newline at its end.
std::string to_text(const Json::Value& value);

}  // namespace wirelay::cli
