// The control thread's side of the prefix table.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/rcu.h"
#include "dataplane/tables/prefix.h"

namespace wirelay::dataplane {

class PrefixWriter {
 public:
  PrefixWriter(PrefixTable& table, Rcu& rcu);

  /// Adds or replaces. False when the table is full; then nothing is changed.
  bool set(const Prefix& prefix, RouteTarget target);
  /// False when there was no such prefix.
  bool remove(const Prefix& prefix);
  [[nodiscard]] std::optional<RouteTarget> get(const Prefix& prefix) const;
  [[nodiscard]] uint32_t size() const noexcept;
  [[nodiscard]] uint32_t capacity() const noexcept;

 private:
  bool enter(const Prefix& prefix, RouteTarget target);

  Prefix4Store& v4_;
  Prefix6Store& v6_;
  InsideFilter& inside_;
  Rcu& rcu_;
};

}  // namespace wirelay::dataplane
