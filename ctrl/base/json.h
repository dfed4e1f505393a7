// JSON from outside: bounded in size and depth before it is believed, no duplicate keys, nothing
// behind the value. jsoncpp underneath.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include <json/value.h>

namespace wirelay::ctrl {

struct JsonLimits {
  size_t bytes = size_t{1} << 20;
  unsigned depth = 32;    // lists and objects within each other
  bool comments = false;  // "//" and "/* */"
};

/// What is wrong with a text, and where; lines and columns count from 1.
class JsonError : public std::runtime_error {
 public:
  JsonError(size_t line_, size_t column_, const std::string& message)
      : std::runtime_error(message), line(line_), column(column_) {}
  size_t line, column;
};

/// Throws JsonError. what() says what was found, without the place.
Json::Value parse_json(std::string_view text, const JsonLimits& limits);

/// On one line, without a newline at its end. Control characters and all but ASCII are escaped.
std::string write_json(const Json::Value& value);
/// Indented, with a newline at its end, for files.
std::string write_json_file(const Json::Value& value);

/// The value at a path of fields such as "limits.up.rate", made with the objects around it where it
/// is not there yet.
Json::Value& at_path(Json::Value& root, std::string_view path);

}  // namespace wirelay::ctrl
