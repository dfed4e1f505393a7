// What users, peers and sessions take of memory, from 1,000 to 100,000 of them.
#pragma once

#include <cstdint>

#include <json/value.h>

namespace wirelay::bench {

/// By the tables' own allocations: bytes of a user, a peer with its path, an allowed prefix and a
/// session; their sum for a connected peer (a user with one peer, an IPv4 and an IPv6 address, one
/// session), and the replay window of 8,192 packets apart.
Json::Value bytes_of_records();

/// Of `count` users with a connected peer each: what the process grew by, for each of them, for the
/// tables (without the replay windows, whose size is known), for the protocol's state (PeerBook)
/// and for the registry of names. {"peers", "tables_bytes", "protocol_bytes", "registry_bytes"}
Json::Value resident_bytes(uint32_t count);

}  // namespace wirelay::bench
