// Measuring memory, see table_memory.h.
#include "tools/bench/table_memory.h"

#include <fstream>
#include <memory>
#include <string>

#include <malloc.h>
#include <unistd.h>

#include "crypto/keys.h"
#include "crypto/replay.h"
#include "ctrl/protocol/peer_book.h"
#include "ctrl/users/registry.h"
#include "dataplane/tables/prefix4_store.h"
#include "dataplane/tables/prefix6_store.h"
#include "tools/bench/table_world.h"

namespace wirelay::bench {

using namespace dataplane;

namespace {

constexpr uint32_t kReplayPackets = 8192;
constexpr uint32_t kReplayBytes = crypto::replay_words(kReplayPackets) * 8;

double resident() {
  uint64_t total = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> total >> pages;
  return static_cast<double>(pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

/// What the process grows by while `make` runs; what it makes stays until this returns.
template <typename Make>
double growth(Make make) {
  malloc_trim(0);  // what was used before must not be used again unseen
  const double before = resident();
  const auto kept = make();
  return resident() - before;
}

ctrl::PeerSpec spec_of(uint32_t n) {
  ctrl::PeerSpec spec;
  spec.name = "peer-" + std::to_string(n);
  spec.user = "user-" + std::to_string(n);
  crypto::random_bytes(spec.public_key);
  spec.allowed_ips = {{TableWorld::address4(n), 128}, {TableWorld::address6(n), 128}};
  return spec;
}

std::shared_ptr<ctrl::PeerBook> make_book(uint32_t count) {
  auto book = std::make_shared<ctrl::PeerBook>(count);
  for (uint32_t n = 0; n < count; ++n) {
    book->add(n, spec_of(n), true);
    book->activate(n);  // connected: the timers look at it
  }
  return book;
}

std::shared_ptr<ctrl::Registry> make_registry(uint32_t count) {
  auto registry = std::make_shared<ctrl::Registry>(
      ctrl::RegistryLimits{.users = count, .peers = count, .prefixes = 2 * count});
  for (uint32_t n = 0; n < count; ++n) {
    ctrl::UserSpec user;
    user.name = "user-" + std::to_string(n);
    registry->enter(ctrl::UserEvent{nullptr, std::make_shared<const ctrl::UserSpec>(user)});
    registry->enter(ctrl::PeerEvent{nullptr, std::make_shared<const ctrl::PeerSpec>(spec_of(n))});
  }
  return registry;
}

}  // namespace

Json::Value bytes_of_records() {
  // Buckets at the full capacity, as the stores take them; a peer has a prefix of either kind.
  const double prefix4 = sizeof(Prefix4Bucket) / 4.0;
  const double prefix6 = sizeof(PrefixEntry) + sizeof(PrefixBucket) / 6.0;
  const double peer = sizeof(Peer) + sizeof(PeerPath);
  Json::Value bytes;
  bytes["user"] = Json::UInt64{sizeof(User)};
  bytes["peer_with_path"] = peer;
  bytes["prefix4"] = prefix4;
  bytes["prefix6"] = prefix6;
  bytes["session"] = Json::UInt64{sizeof(Session)};
  bytes["replay_window"] = kReplayBytes;
  bytes["connected_peer_beside_window"] = sizeof(User) + peer + prefix4 + prefix6 + sizeof(Session);
  bytes["target_beside_window"] = 1200;
  return bytes;
}

Json::Value resident_bytes(uint32_t count) {
  Json::Value row;
  row["peers"] = count;
  const double tables = growth([count] {
    auto world = std::make_unique<TableWorld>(count, kReplayPackets);
    world->fill();
    return world;
  });
  row["tables_bytes"] = tables / count - kReplayBytes;
  row["protocol_bytes"] = growth([count] { return make_book(count); }) / count;
  row["registry_bytes"] = growth([count] { return make_registry(count); }) / count;
  return row;
}

}  // namespace wirelay::bench
