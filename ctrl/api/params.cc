// Reading what the methods' parameters have in common.
#include "ctrl/api/params.h"

namespace wirelay::ctrl::api {

namespace {

template <typename Read>
void read_items(const Json::Value& params, const char* list, Read read) {
  std::vector<Problem> problems;
  if (!params.isMember(list)) {
    read(params, Place("params"), problems);
  } else {
    ObjectReader fields(params, "params", problems);
    if (const Json::Value* items = fields.list(list)) {
      if (items->empty()) fields.problem(list, "is empty; name at least one");
      const Place place(fields.place(), list);
      for (Json::ArrayIndex i = 0; i < items->size() && !enough(problems); ++i) {
        read((*items)[i], Place(place, i), problems);
      }
    }
    fields.finish();
  }
  if (!problems.empty()) throw Refused(std::move(problems));
}

}  // namespace

void Params::finish() {
  fields_.finish();
  if (!problems_.empty()) throw Refused(std::move(problems_));
}

Page read_page(Params& params) {
  return {params->text("after").value_or(""),
          static_cast<size_t>(params->number("limit", 1, kMaxPage).value_or(kDefaultPage))};
}

std::string read_only_name(const Json::Value& params) {
  Params fields(params);
  fields->require("name", "a name");
  const auto name = fields->text("name");
  fields.finish();
  return *name;
}

std::vector<Step> read_steps(const Json::Value& params, const char* list, ReadSteps read) {
  std::vector<Step> steps;
  read_items(params, list, [&](const Json::Value& value, const Place& place, auto& problems) {
    read(value, place, steps, problems);
  });
  return steps;
}

std::vector<Renaming> read_renamings(const Json::Value& params, const char* list) {
  std::vector<Renaming> renamings;
  read_items(params, list, [&](const Json::Value& value, const Place& place, auto& problems) {
    ObjectReader fields(value, place, problems);
    if (!value.isObject()) return;
    fields.require("name", "the name as it is");
    fields.require("to", "the name as it is to be");
    renamings.push_back(
        {fields.text("name").value_or(""), fields.text("to").value_or(""), place.text()});
    fields.finish();
  });
  return renamings;
}

std::vector<Named> read_names(const Json::Value& params) {
  if (!params.isMember("names")) return {{read_only_name(params), "params"}};
  std::vector<Named> names;
  read_items(params, "names",
             [&](const Json::Value& value, const Place& place, std::vector<Problem>& wrong) {
               if (value.isString()) {
                 names.push_back({value.asString(), place.text()});
               } else {
                 wrong.push_back({place.text(), expected(value, "a name")});
               }
             });
  return names;
}

}  // namespace wirelay::ctrl::api
