// How fast the tables are: lookups of random entries, and updates while somebody reads.
#pragma once

#include <cstdint>

#include <json/value.h>

#include "tools/bench/table_world.h"

namespace wirelay::bench {

enum class Table : uint8_t { kPrefix4, kPrefix6, kSession, kPeer };
inline constexpr Table kTables[] = {Table::kPrefix4, Table::kPrefix6, Table::kSession,
                                    Table::kPeer};
const char* to_text(Table table) noexcept;

/// Nanoseconds a lookup, by bursts of 32 as the stages look up: all of a burst are on their way
/// from memory before the first is used; of the bursts the median. `lookups`: how many, of entries
/// in random order.
double time_lookups(TableWorld& world, Table table, uint32_t lookups);

/// What becomes of both sides when updates and lookups happen at once: {"entries",
/// "updates_per_second", "reader": {"lookups", "p50_ns", "p99_ns", "p999_ns", "p9999_ns",
/// "max_ns", "preempted": how often another thread took its processor}, and the same reader before,
/// when nobody wrote, as "reader_alone"}. An update is an entry added or one taken away: of the
/// prefix table by a prefix, of the session table by a session, of the peer table by a peer with
/// its two prefixes and its path. The reader is another thread, on processor `core`; it times every
/// single lookup.
Json::Value time_updates(TableWorld& world, Table table, double seconds, unsigned core);

}  // namespace wirelay::bench
