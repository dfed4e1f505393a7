// Events become jsoncpp's values.
#include "ctrl/base/json.h"

#include <charconv>
#include <utility>

#include <json/writer.h>

#include "crypto/keys.h"

namespace wirelay::ctrl {

namespace {

template <typename Number>
bool read_as(std::string_view digits, Number& number) {
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  return error == std::errc() && end == digits.end();
}

/// Whole where it is written so and 64 bits hold it.
Json::Value number_of(std::string_view digits) {
  Json::Int64 whole = 0;
  if (read_as(digits, whole)) return whole;
  Json::UInt64 large = 0;
  if (read_as(digits, large)) return large;
  double any = 0;
  read_as(digits, any);
  return any;
}

Json::Value value_of(const JsonEvent& event) {
  using Kind = JsonEvent::Kind;
  switch (event.kind) {
    case Kind::kText:
      return {event.text.data(), event.text.data() + event.text.size()};
    case Kind::kNumber:
      return number_of(event.raw);
    case Kind::kFalse:
    case Kind::kTrue:
      return event.kind == Kind::kTrue;
    case Kind::kList:
      return Json::arrayValue;
    case Kind::kObject:
      return Json::objectValue;
    default:
      return {};
  }
}

std::string write(const Json::Value& value, const char* indentation) {
  Json::StreamWriterBuilder builder;
  builder["indentation"] = indentation;
  builder["commentStyle"] = "None";
  builder["precision"] = 15;  // 4393.2, not 4393.1999999999998
  return Json::writeString(builder, value);
}

}  // namespace

void JsonTree::take(const JsonEvent& event) {
  using Kind = JsonEvent::Kind;
  if (event.kind == Kind::kKey) {
    key_ = event.text;
    return;
  }
  if (event.kind == Kind::kListEnd || event.kind == Kind::kObjectEnd) {
    open_.pop_back();
    return;
  }
  Json::Value* around = open_.empty() ? nullptr : open_.back();
  Json::Value& place = around == nullptr    ? root_
                       : around->isObject() ? (*around)[key_]
                                            : around->append(Json::nullValue);
  place = value_of(event);
  if (event.kind == Kind::kList || event.kind == Kind::kObject) open_.push_back(&place);
}

void wipe_texts(Json::Value& value) {
  const char* begin = nullptr;
  const char* end = nullptr;
  if (value.isString() && value.getString(&begin, &end)) {
    crypto::wipe(const_cast<char*>(begin), static_cast<size_t>(end - begin));  // its own copy
  } else if (value.isObject() || value.isArray()) {
    for (Json::Value& element : value) wipe_texts(element);
  }
}

Json::Value parse_json(std::string_view text, const JsonLimits& limits) {
  JsonTree tree;
  read_json_events(text, limits, [&](const JsonEvent& event) { tree.take(event); });
  return tree.take_value();
}

std::string write_json(const Json::Value& value) { return write(value, ""); }

std::string write_json_file(const Json::Value& value) { return write(value, "  ") + "\n"; }

Json::Value& at_path(Json::Value& root, std::string_view path) {
  const size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  Json::Value& field = *root.demand(name.data(), name.data() + name.size());
  return dot == std::string_view::npos ? field : at_path(field, path.substr(dot + 1));
}

const Json::Value& find_at(const Json::Value& root, std::string_view path) {
  const size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  const Json::Value* field =
      root.isObject() ? root.find(name.data(), name.data() + name.size()) : nullptr;
  if (field == nullptr) return Json::Value::nullSingleton();
  return dot == std::string_view::npos ? *field : find_at(*field, path.substr(dot + 1));
}

}  // namespace wirelay::ctrl
