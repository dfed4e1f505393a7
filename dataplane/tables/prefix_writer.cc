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

bool is_inside(const std::optional<RouteTarget>& target) noexcept {
  return target && (target->kind() == RouteKind::kPeer || target->kind() == RouteKind::kLocal ||
                    target->kind() == RouteKind::kPublic);
}
}  // namespace

PrefixWriter::PrefixWriter(PrefixTable& table, Rcu& rcu)
    : v4_(*table.v4_), v6_(*table.v6_), inside_(table.inside_), rcu_(rcu) {}

bool PrefixWriter::set(const Prefix& prefix, RouteTarget target) {
  const auto before = get(prefix);
  if (size() == capacity() && !before) return false;
  const bool was = is_inside(before), is = is_inside(target);
  if (is && !was) inside_.add(prefix);
  const bool entered = enter(prefix, target);
  if (was != is && (was || !entered)) inside_.remove(prefix);
  return entered;
}

bool PrefixWriter::enter(const Prefix& prefix, RouteTarget target) {
  if (prefix.is_v4()) return v4_.set(prefix, target);
  const uint32_t number = find(v6_, prefix);
  if (number == Prefix6Store::kNoEntry) return v6_.insert(prefix, target);
  v6_.replace(number, target);
  return true;
}

bool PrefixWriter::remove(const Prefix& prefix) {
  const bool was = is_inside(get(prefix));
  const bool removed = prefix.is_v4() ? v4_.erase(prefix) : v6_.erase(prefix, rcu_);
  if (was) inside_.remove(prefix);
  return removed;
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
