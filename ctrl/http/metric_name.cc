// Prometheus's customs: base units, and what kind of a thing was counted in a label.
#include "ctrl/http/metric_name.h"

#include <algorithm>

#include <fmt/format.h>

namespace wirelay::ctrl::http {

namespace {

constexpr std::string_view kOver = "over_", kMilliseconds = "_ms", kMicroseconds = "_us";

std::string seconds_of(std::string_view milliseconds) {
  return fmt::format("{}", std::stod(std::string(milliseconds)) / 1000);
}

}  // namespace

MetricName metric_name(std::string_view section, std::string_view counter) {
  MetricName name;
  if (counter.starts_with(kOver) && counter.ends_with(kMilliseconds)) {
    counter.remove_prefix(kOver.size());
    counter.remove_suffix(kMilliseconds.size());
    return {fmt::format("{}_turns_over", section), "cpu_seconds", seconds_of(counter)};
  }
  if (const size_t dot = counter.find('.'); dot != std::string_view::npos) {
    name.label = "reason";
    name.value = counter.substr(dot + 1);
    counter = counter.substr(0, dot);
  }
  std::string_view ending;
  if (counter.ends_with(kMicroseconds)) {
    counter.remove_suffix(kMicroseconds.size());
    ending = "_seconds";
    name.per_unit = 1e6;
  }
  name.family = fmt::format("{}_{}{}", section, counter, ending);
  return name;
}

std::string help_of(const MetricName& name) {
  std::string words = name.family.substr(name.family.find('_') + 1);
  std::ranges::replace(words, '_', ' ');
  return fmt::format("{}, by {}; docs/counters.md tells what each is", words, name.label);
}

}  // namespace wirelay::ctrl::http
