// The control thread's side of the prefix table.
#include "dataplane/tables/prefix_writer.h"

#include "dataplane/tables/prefix4_store.h"
#include "dataplane/tables/prefix6_store.h"

namespace wirelay::dataplane {

namespace {
uint32_t find(const Prefix6Store& store, const Prefix& prefix) noexcept {
  const PrefixKey key = PrefixKey::of(prefix.addr);
  return store.find(key, prefix.length, store.hash(key, prefix.length));
}
}  // namespace

PrefixWriter::PrefixWriter(PrefixTable& table, Rcu& rcu)
    : v4_(*table.v4_), v6_(*table.v6_), rcu_(rcu) {}

bool PrefixWriter::set(const Prefix& prefix, RouteTarget target) {
  if (size() == capacity() && !get(prefix)) return false;
  if (prefix.is_v4()) return v4_.set(prefix, target);
  const uint32_t number = find(v6_, prefix);
  if (number == Prefix6Store::kNoEntry) return v6_.insert(prefix, target);
  v6_.replace(number, target);
  return true;
}

bool PrefixWriter::remove(const Prefix& prefix) {
  return prefix.is_v4() ? v4_.erase(prefix) : v6_.erase(prefix, rcu_);
}

std::optional<RouteTarget> PrefixWriter::get(const Prefix& prefix) const {
  if (prefix.is_v4()) {
    const RouteTarget target = v4_.get(prefix);
    return target.kind() == RouteKind::kNone ? std::nullopt : std::optional(target);
  }
  const uint32_t number = find(v6_, prefix);
  if (number == Prefix6Store::kNoEntry) return std::nullopt;
  return v6_.target(number);
}

uint32_t PrefixWriter::size() const noexcept { return v4_.size() + v6_.size(); }
uint32_t PrefixWriter::capacity() const noexcept { return v6_.capacity(); }

}  // namespace wirelay::dataplane
