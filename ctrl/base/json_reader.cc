// Field by field out of a JSON object, with messages that name what was found and what is expected.
#include "ctrl/base/json_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "ctrl/base/closest_word.h"

namespace wirelay::ctrl {

namespace {

constexpr size_t kMaxQuoted = 80;

}  // namespace

ObjectReader::ObjectReader(const Json::Value& value, const Place& place,
                           std::vector<Problem>& problems)
    : value_(value.isObject() ? value : Json::Value::nullSingleton()),
      place_(place),
      problems_(problems) {
  if (!value.isObject()) problems_.push_back({place_.text(), expected(value, "an object")});
}

void ObjectReader::problem(std::string_view name, std::string message) {
  if (!enough()) problems_.push_back({Place(place_, name).text(), std::move(message)});
}

const Json::Value* ObjectReader::any(std::string_view name) {
  const Json::Value* value =
      value_.isObject() ? value_.find(name.data(), name.data() + name.size()) : nullptr;
  if (std::ranges::find(known(), name) == known().end()) {
    known_.push_back(name);
    if (value != nullptr) ++present_;
  }
  return value;
}

std::optional<std::string> ObjectReader::text(std::string_view name) {
  const Json::Value* v = any(name);
  if (v == nullptr) return std::nullopt;
  if (v->isString()) return v->asString();
  problem(name, expected(*v, "a text"));
  return std::nullopt;
}

std::optional<uint64_t> ObjectReader::number(std::string_view name, uint64_t least, uint64_t most) {
  const Json::Value* v = any(name);
  if (v == nullptr) return std::nullopt;
  if (v->isNumeric() && v->isUInt64() && v->asUInt64() >= least && v->asUInt64() <= most) {
    return v->asUInt64();
  }
  problem(name, expected(*v, fmt::format("a whole number from {} to {}", least, most)));
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(std::string_view name) {
  const Json::Value* v = any(name);
  if (v == nullptr) return std::nullopt;
  if (v->isBool()) return v->asBool();
  problem(name, expected(*v, "true or false"));
  return std::nullopt;
}

std::optional<size_t> ObjectReader::choice(std::string_view name,
                                           std::span<const std::string_view> words) {
  const auto found_text = text(name);
  if (!found_text) return std::nullopt;
  const auto found = std::ranges::find(words, *found_text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  problem(name, fmt::format("found {}, expected one of \"{}\"", in_quotes(*found_text),
                            fmt::join(words, "\", \"")));
  return std::nullopt;
}

const Json::Value* ObjectReader::object(std::string_view name) {
  const Json::Value* v = any(name);
  if (v == nullptr || v->isObject()) return v;
  problem(name, expected(*v, "an object"));
  return nullptr;
}

const Json::Value* ObjectReader::list(std::string_view name) {
  const Json::Value* v = any(name);
  if (v == nullptr || v->isArray()) return v;
  problem(name, expected(*v, "a list"));
  return nullptr;
}

std::vector<std::string> ObjectReader::texts(std::string_view name) {
  std::vector<std::string> texts;
  const Json::Value* v = list(name);
  if (v == nullptr) return texts;
  for (Json::ArrayIndex i = 0; i < v->size() && !enough(); ++i) {
    if ((*v)[i].isString()) {
      texts.push_back((*v)[i].asString());
    } else {
      problem(fmt::format("{}[{}]", name, i), expected((*v)[i], "a text"));
    }
  }
  return texts;
}

bool ObjectReader::require(std::string_view name, std::string_view what) {
  if (!value_.isObject()) return false;
  if (any(name) != nullptr) return true;
  problem(name, fmt::format("missing, expected {}", what));
  return false;
}

void ObjectReader::finish() {
  if (!value_.isObject() || present_ == value_.size()) return;
  for (auto field = value_.begin(); field != value_.end() && !enough(); ++field) {
    const std::string name = field.name();
    if (std::ranges::find(known(), name) == known().end()) unknown(name);
  }
}

void ObjectReader::unknown(const std::string& name) {
  const auto likely = did_you_mean(name, known());
  const std::string hint = likely ? fmt::format("did you mean \"{}\"?", *likely)
                                  : fmt::format("known here: {}", fmt::join(known(), ", "));
  const std::string shown = in_quotes(name);
  problem(shown.substr(1, shown.size() - 2), "unknown field; " + hint);
}

std::string describe(const Json::Value& value) {
  if (value.isString()) return in_quotes(value.asString());
  if (value.isArray()) return "a list";
  if (value.isObject()) return "an object";
  return value.isNull() ? "null" : value.asString();
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxQuoted)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out += text.size() > kMaxQuoted ? "...\"" : "\"";
}

std::string expected(const Json::Value& found, std::string_view what) {
  return fmt::format("found {}, expected {}", describe(found), what);
}

}  // namespace wirelay::ctrl
