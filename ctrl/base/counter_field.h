// A counter, described once: each struct of counters has a list of these beside it, from which the
// API's replies and docs/counters.md come. Who adds a counter adds it to its struct and to its
// list.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wirelay::ctrl {

enum class CounterKind : uint8_t {
  kCounter,  // only grows, since the relay started
  kGauge,    // what is now
};

template <typename Struct, typename Value = uint64_t>
struct CounterField {
  std::string_view name;  // in the API; stable. "refused.replay" stands within an object "refused"
  std::string_view text;  // what it counts, for people
  Value Struct::*member;
  CounterKind kind = CounterKind::kCounter;
};
// Clang, which builds the fuzz targets, derives none for aggregates.
template <typename Struct, typename Value>
CounterField(std::string_view, std::string_view, Value Struct::*, CounterKind = {})
    -> CounterField<Struct, Value>;

template <typename Struct, typename Value, size_t N>
constexpr bool distinct(const std::array<CounterField<Struct, Value>, N>& fields) {
  for (size_t i = 0; i < N; ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (fields[i].member == fields[j].member || fields[i].name == fields[j].name) return false;
    }
  }
  return true;
}

/// That every member of a struct of nothing but counters is in its list, once.
template <typename Struct, typename Value, size_t N>
constexpr bool complete(const std::array<CounterField<Struct, Value>, N>& fields) {
  return sizeof(Struct) == N * sizeof(Value) && distinct(fields);
}

}  // namespace wirelay::ctrl
