// The "wg" section.
#include <algorithm>

#include <fmt/format.h>

#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

/// As Linux and wg(8) take names of interfaces.
bool is_interface(std::string_view text) {
  return !text.empty() && text.size() <= 15 && text != "." && text != ".." &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '=' || c == '+' || c == '.' || c == '-';
         });
}

}  // namespace

void read_wg(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  const Json::Value* value = root.object("wg");
  if (value == nullptr) return;
  ObjectReader reader(*value, "wg", problems);
  if (reader.require("interface", "what wg is to call the relay, such as \"wg0\"")) {
    config.wg.interface = reader.text("interface").value_or("");
    if (!is_interface(config.wg.interface)) {
      reader.problem("interface", fmt::format("found {}, expected 1 to 15 letters, digits and "
                                              "_ = + . -",
                                              in_quotes(config.wg.interface)));
    }
  }
  if (reader.require("user", "the user whose the peers are that wg adds")) {
    config.wg.user = reader.text("user").value_or("");
  }
  reader.finish();
}

}  // namespace wirelay::ctrl
