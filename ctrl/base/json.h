// JSON as values: out of texts from outside, within bounds, and into texts. jsoncpp holds the
// values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <json/value.h>

#include "ctrl/base/json_events.h"

namespace wirelay::ctrl {

/// Overwrites all texts of a value that is no longer needed: keys may be among them.
void wipe_texts(Json::Value& value);

/// Makes a value of the events of one text. Of a text that is not read to its end nothing stays.
class JsonTree {
 public:
  JsonTree() = default;
  ~JsonTree() { wipe_texts(root_); }
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  void take(const JsonEvent& event);
  /// When all events were taken; the next one begins another value.
  Json::Value take_value() { return std::exchange(root_, {}); }

 private:
  Json::Value root_;
  std::vector<Json::Value*> open_;  // lists and objects around the next value
  std::string key_;                 // of the next value
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
/// The same, or null where it is not there.
const Json::Value& find_at(const Json::Value& root, std::string_view path);

}  // namespace wirelay::ctrl
