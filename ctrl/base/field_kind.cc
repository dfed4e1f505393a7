// Values of fields, read and written by their kind.
#include "ctrl/base/field_kind.h"

#include <algorithm>

#include <fmt/format.h>

#include "ctrl/base/json_reader.h"
#include "ctrl/base/rate.h"

namespace wirelay::ctrl {

namespace {

std::string expectation(const FieldKind& kind) {
  switch (kind.form) {
    case ValueForm::kScaled:
      return fmt::format("{} from {} to {} such as \"{}\", or \"{}\"", kind.unit,
                         scaled_text(kind.least), scaled_text(kind.most), kind.example, kind.open);
    case ValueForm::kWhole:
      return fmt::format("{} from {} to {}, or \"{}\"", kind.unit, kind.least, kind.most,
                         kind.open);
    case ValueForm::kSwitch:
      return "true or false";
    case ValueForm::kWord:
      return fmt::format("\"{}\"", fmt::join(kind.words, "\" or \""));
    case ValueForm::kText:
      return fmt::format("{} such as \"{}\", or \"{}\"", kind.unit, kind.example, kind.open);
  }
  return {};
}

std::optional<uint64_t> place_of(const std::string& text, std::span<const std::string_view> words) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end()) return std::nullopt;
  return static_cast<uint64_t>(found - words.begin());
}

std::optional<uint64_t> number_in(const Json::Value& value, const FieldKind& kind) {
  if (kind.form == ValueForm::kSwitch) {
    return value.isBool() ? std::optional<uint64_t>(value.asBool()) : std::nullopt;
  }
  if (kind.form == ValueForm::kWord || kind.form == ValueForm::kText) {
    if (!value.isString()) return std::nullopt;
    const std::string text = value.asString();
    return kind.form == ValueForm::kText ? kind.text.parse(text) : place_of(text, kind.words);
  }
  if (value.isNumeric() && value.isUInt64()) return value.asUInt64();
  if (kind.form == ValueForm::kScaled && value.isString()) return parse_scaled(value.asString());
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> parse_value(const Json::Value& value, const FieldKind& kind,
                                    std::string& message) {
  if (!kind.open.empty() && value.isString() && value.asString() == kind.open) return 0;
  const std::optional<uint64_t> number = number_in(value, kind);
  if (number && *number >= kind.least && *number <= kind.most) return number;
  message = expected(value, expectation(kind));
  return std::nullopt;
}

Json::Value value_json(uint64_t value, const FieldKind& kind) {
  if (kind.form == ValueForm::kSwitch) return value != 0;
  if (value == 0 && !kind.open.empty()) return std::string(kind.open);
  if (kind.form == ValueForm::kWhole) return Json::UInt64{value};
  if (kind.form == ValueForm::kWord) return std::string(kind.words[value]);
  if (kind.form == ValueForm::kText) return kind.text.write(value);
  return scaled_text(value);
}

}  // namespace wirelay::ctrl
