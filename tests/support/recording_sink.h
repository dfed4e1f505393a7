// Keeps the events that it is told, for tests to look at.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ctrl/events/event.h"

namespace wirelay::test {

class RecordingSink : public ctrl::events::Sink {
 public:
  std::vector<ctrl::events::Event> told;

  void tell(ctrl::events::Event event) override { told.push_back(std::move(event)); }

  [[nodiscard]] const ctrl::events::Value& value(size_t i, std::string_view field) const {
    for (const auto& [name, value] : told.at(i).fields) {
      if (name == field) return value;
    }
    throw std::runtime_error("no field " + std::string(field));
  }
  [[nodiscard]] uint64_t number(size_t i, std::string_view field) const {
    return std::get<uint64_t>(value(i, field));
  }
  [[nodiscard]] std::string word(size_t i, std::string_view field) const {
    return std::string(std::get<std::string_view>(value(i, field)));
  }
};

}  // namespace wirelay::test
