// Lists of counters as families, and the series of users and peers.
#pragma once

#include <array>
#include <string_view>

#include "ctrl/base/counter_field.h"
#include "ctrl/http/exposition.h"
#include "ctrl/http/facts.h"
#include "ctrl/http/metric_name.h"
#include "dataplane/counters.h"

namespace wirelay::ctrl::http {

inline uint64_t value_of(uint64_t counter) noexcept { return counter; }
inline uint64_t value_of(const dataplane::Counter& counter) noexcept { return counter.get(); }

/// A family for each counter of the list `fields`, or for those that one label tells apart.
/// `for_each(add)` calls add(labels, counters) for each struct of such counters.
template <typename Struct, typename Value, size_t N, typename ForEach>
void add_counters(Exposition& out, std::string_view section,
                  const std::array<CounterField<Struct, Value>, N>& fields,
                  const ForEach& for_each) {
  for (const auto& field : fields) {
    const MetricName name = metric_name(section, field.name);
    const bool counts = field.kind == CounterKind::kCounter;
    out.family(name.family, counts ? MetricType::kCounter : MetricType::kGauge,
               name.label.empty() ? std::string(field.text) : help_of(name));
    for_each([&](Labels labels, const Struct& from) {
      if (!name.label.empty()) labels.push_back({name.label, name.value});
      const uint64_t value = value_of(from.*field.member);
      name.per_unit == 1 ? out.sample(labels, value)
                         : out.sample(labels, static_cast<double>(value) / name.per_unit);
    });
  }
}

void add_series(Exposition& out, const Facts& facts);

}  // namespace wirelay::ctrl::http
