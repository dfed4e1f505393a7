// JSON as values: out of texts from outside, within bounds, and into texts. jsoncpp holds the
// values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <json/value.h>

#include "ctrl/base/json_events.h"

namespace wirelay::ctrl {

/// Makes a value of the events of one text.
class JsonTree {
 public:
  void take(const JsonEvent& event);
  /// When all events were taken.
  Json::Value take_value() { return std::move(root_); }

 private:
  Json::Value root_;
  std::vector<Json::Value*> open_;  // lists and objects around the next value
  std::string key_;                 // of the next value
};

/// Overwrites all texts of a value that is no longer needed: keys may be among them.
void wipe_texts(Json::Value& value);

/// Throws JsonError. what() says what was found, without the place.
Json::Value parse_json(std::string_view text, const JsonLimits& limits);

/// On one line, without a newline at its end. Control characters and all but ASCII are escaped.
std::string write_json(const Json::Value& value);
/// Indented, with a newline at its end, for files.
std::string write_json_file(const Json::Value& value);

/// The value at a path of fields such as "limits.up.rate", made with the objects around it where it
/// is not there yet.
Json::Value& at_path(Json::Value& root, std::string_view path);
/// The same, or null where it is not there.
const Json::Value& find_at(const Json::Value& root, std::string_view path);

}  // namespace wirelay::ctrl
