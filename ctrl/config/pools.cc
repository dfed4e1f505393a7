// The pools that new peers get addresses from.
#include <fmt/core.h>

#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

constexpr uint8_t kShortest4 = 96 + 8, kLongest4 = 96 + 30, kShortest6 = 16, kLongest6 = 126;

/// Of a size of which there is something to give.
bool is_pool(const dataplane::Prefix& prefix) {
  return prefix.is_v4() ? prefix.length >= kShortest4 && prefix.length <= kLongest4
                        : prefix.length >= kShortest6 && prefix.length <= kLongest6;
}

void read_reserved(ObjectReader& reader, PoolConfig& pool) {
  const std::vector<std::string> texts = reader.texts("reserved");
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto address = dataplane::parse_ip(texts[i]);
    if (address && pool.prefix.contains(*address)) {
      pool.reserved.push_back(*address);
    } else {
      reader.problem(fmt::format("reserved[{}]", i),
                     fmt::format("found {}, expected an address of the pool", in_quotes(texts[i])));
    }
  }
}

}  // namespace

void read_pools(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  const Json::Value* list = root.list("address_pools");
  const Place place("address_pools");
  for (Json::ArrayIndex i = 0; list != nullptr && i < list->size() && !enough(problems); ++i) {
    ObjectReader reader((*list)[i], {place, i}, problems);
    reader.require("prefix", "a prefix such as \"10.77.0.0/16\" or \"fd77::/64\"");
    const auto text = reader.text("prefix");
    const auto prefix = text ? dataplane::parse_prefix(*text) : std::nullopt;
    PoolConfig pool{prefix.value_or(dataplane::Prefix{})};
    if (text && (!prefix || !is_pool(*prefix))) {
      reader.problem("prefix",
                     fmt::format("found {}, expected an IPv4 prefix from /8 to /30, or an "
                                 "IPv6 prefix from /16 to /126",
                                 in_quotes(*text)));
    }
    for (const PoolConfig& other : config.address_pools) {
      if (prefix && other.prefix.overlaps(*prefix)) {
        reader.problem("prefix", fmt::format("{} overlaps another pool, {}", to_string(*prefix),
                                             to_string(other.prefix)));
      }
    }
    read_reserved(reader, pool);
    reader.finish();
    config.address_pools.push_back(std::move(pool));
  }
}

}  // namespace wirelay::ctrl
