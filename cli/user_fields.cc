// Loops over the list of a user's fields.
#include "cli/user_fields.h"

#include <algorithm>
#include <set>

#include "cli/fields.h"
#include "cli/format.h"
#include "ctrl/base/json.h"
#include "ctrl/base/user_fields.h"

namespace wirelay::cli {

namespace {

using ctrl::BothWays;
using ctrl::kBothWays;
using ctrl::kUserFields;
using ctrl::UserFieldInfo;
using ctrl::ValueForm;

/// The option that sets this field and that of the other way, or null.
const BothWays* both_ways(const UserFieldInfo& field) {
  const auto* found = std::ranges::find_if(kBothWays, [&](const BothWays& both) {
    return field.option == std::string(both.option) + "-up" ||
           field.option == std::string(both.option) + "-down";
  });
  return found == kBothWays.end() ? nullptr : found;
}

void describe_value(po::options_description_easy_init& add, std::string_view option,
                    const UserFieldInfo& field, std::string_view text) {
  const std::string argument(field.kind.argument);
  add(std::string(option).c_str(), po::value<std::string>()->value_name(argument),
      std::string(text).c_str());
}

/// What the options say of one field; null for nothing.
Json::Value given(const Call& call, const UserFieldInfo& field) {
  const std::string option(field.option);
  if (field.kind.form == ValueForm::kSwitch) {
    const std::string off(field.off_option);
    exclude(call, option.c_str(), {off.c_str()});
    if (call.has(option.c_str())) return true;
    return call.has(off.c_str()) ? Json::Value(false) : Json::Value();
  }
  auto text = call.text(option.c_str());
  if (const BothWays* both = text ? nullptr : both_ways(field)) {
    text = call.text(std::string(both->option).c_str());
  }
  if (!text) return {};
  return field.kind.form == ValueForm::kWhole ? number_or_text(*text) : Json::Value(*text);
}

/// "" for a value that stands for no limit.
std::string value_text(const Json::Value& value, const ctrl::FieldKind& kind) {
  if (value.isNull() || (value.isString() && value.asString() == kind.open)) return "";
  if (kind.form == ValueForm::kScaled) return rate_text(value.asString(), kind.shown);
  if (kind.form == ValueForm::kSwitch) return value.asBool() ? "yes" : "no";
  if (value.isString()) return value.asString();
  return count_text(value.asUInt64());
}

}  // namespace

void describe_user_fields(po::options_description_easy_init& add) {
  std::set<std::string_view> told;
  for (const UserFieldInfo& field : kUserFields) {
    if (const BothWays* both = both_ways(field);
        both != nullptr && told.insert(both->option).second)
      describe_value(add, both->option, field, both->text);
    if (field.kind.form != ValueForm::kSwitch) {
      describe_value(add, field.option, field, field.text);
      continue;
    }
    add(std::string(field.option).c_str(), std::string(field.text).c_str());
    add(std::string(field.off_option).c_str(), std::string(field.off_text).c_str());
  }
}

Json::Value user_fields(const Call& call) {
  Json::Value user(Json::objectValue);
  for (const UserFieldInfo& field : kUserFields) {
    Json::Value value = given(call, field);
    if (!value.isNull()) ctrl::at_path(user, field.path) = std::move(value);
  }
  return user;
}

std::vector<std::pair<std::string, std::string>> titled_fields(const Json::Value& user) {
  std::vector<std::pair<std::string, std::string>> titled;
  std::vector<std::string_view> open;  // what an empty cell says
  for (const UserFieldInfo& field : kUserFields) {
    if (field.title.empty()) continue;
    auto cell = std::ranges::find(titled, field.title, &std::pair<std::string, std::string>::first);
    if (cell == titled.end()) {
      cell = titled.insert(cell, {std::string(field.title), ""});
      open.push_back(field.kind.open);
    }
    const std::string text = value_text(ctrl::find_at(user, field.path), field.kind);
    if (!text.empty()) cell->second.append(cell->second.empty() ? "" : ", ").append(text);
  }
  for (size_t i = 0; i < titled.size(); ++i) {
    if (titled[i].second.empty()) titled[i].second = open[i];
  }
  return titled;
}

}  // namespace wirelay::cli
