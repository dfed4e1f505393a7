// What a counter of our lists is called as a metric.
#pragma once

#include <string>
#include <string_view>

namespace wirelay::ctrl::http {

struct MetricName {
  std::string family;        // without "_total"
  std::string label, value;  // "": none
  double per_unit = 1;       // how many of the counter's one of the metric's is
};

/// `section` is what the names of its list begin with, such as "relay_port". Of a counter "a.b", b
/// is a label; times are seconds: "longest_us", and "over_5_ms", which is a label, too.
MetricName metric_name(std::string_view section, std::string_view counter);

/// The help of a family with a label: of several counters.
std::string help_of(const MetricName& name);

}  // namespace wirelay::ctrl::http
