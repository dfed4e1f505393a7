// The control thread's side of the prefix table.
#include "dataplane/tables/prefix_writer.h"

#include "dataplane/tables/prefix_store.h"

namespace wirelay::dataplane {

namespace {
uint32_t find(const PrefixStore& store, const Prefix& prefix) noexcept {
  const PrefixKey key = PrefixKey::of(prefix.addr);
  return store.find(key, prefix.length, store.hash(key, prefix.length));
}
}  // namespace

PrefixWriter::PrefixWriter(PrefixTable& table, Rcu& rcu) : store_(*table.store_), rcu_(rcu) {}

bool PrefixWriter::set(const Prefix& prefix, RouteTarget target) {
  const uint32_t number = find(store_, prefix);
  if (number == PrefixStore::kNoEntry) return store_.insert(prefix, target);
  store_.replace(number, target);
  return true;
}

bool PrefixWriter::remove(const Prefix& prefix) { return store_.erase(prefix, rcu_); }

std::optional<RouteTarget> PrefixWriter::get(const Prefix& prefix) const {
  const uint32_t number = find(store_, prefix);
  if (number == PrefixStore::kNoEntry) return std::nullopt;
  return store_.target(number);
}

uint32_t PrefixWriter::size() const noexcept { return store_.size(); }
uint32_t PrefixWriter::capacity() const noexcept { return store_.capacity(); }

}  // namespace wirelay::dataplane
