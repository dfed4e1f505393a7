// NAT44 as workers and the control thread share it: the public addresses, the blocks of ports that
// users have of them, and who owns what.
//
// Ports of a public address are cut into blocks of equal size, and a user gets whole blocks, all of
// one address (paired pooling, RFC 4787, REQ-2). So an address and a port say by arithmetic which
// block they are of, and the block says whose it is; one record a block is all that must be kept of
// who had which port (RFC 6888, REQ-12).
//
//   public address ─ index ─┬─ block ─┬─ port ─► mapping (nat_flows.h) of the owner worker
//                           │         └─ user, owner worker
//                           └─ block ...
//
// The mappings of a user belong to one worker, its owner. The control thread gives blocks
// (ctrl/nat/) to a user whose owner asks, and takes back those that have no mappings.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <netinet/in.h>

#include "dataplane/burst.h"
#include "dataplane/ip.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/nat_statics.h"

namespace wirelay::dataplane {

/// From whom a mapped port takes packets (RFC 4787, section 5).
enum class NatFiltering : uint8_t {
  kEndpointIndependent,      // from anybody
  kAddressAndPortDependent,  // from whom the user has sent to
};

/// How much of it one user may have.
struct NatLimits {
  uint32_t blocks = 0;  // at most kNatMostBlocks
  uint32_t flows = 0;
  bool operator==(const NatLimits&) const = default;
};

/// From the configuration; constant after start.
struct NatSettings {
  std::vector<Prefix> pools;   // of IPv4; none overlaps another
  uint32_t block_ports = 512;  // a power of two, 64 to 4,096
  uint32_t flows = 131072;     // records of all workers together; a TCP connection takes two
  NatLimits each = {4, 2048};  // a user's, unless its own say otherwise; may change later
  NatFiltering filtering = NatFiltering::kEndpointIndependent;
  // Seconds without a packet.
  uint32_t udp_seconds = 300;             // RFC 4787, REQ-5
  uint32_t icmp_seconds = 60;             // RFC 5508, REQ-1
  uint32_t tcp_seconds = 7440;            // RFC 5382, REQ-5: established
  uint32_t tcp_transitory_seconds = 240;  // and at the beginning and the end
  std::vector<uint16_t> reserved = {};    // ports of the relay's own services
  // Rules; those of single ports are of addresses of pools, and may change later.
  std::vector<NatStatic> statics = {};
  bool operator==(const NatSettings&) const = default;
};

inline constexpr uint32_t kNatMostBlocks = 8;
inline constexpr uint16_t kNatFirstPort = 1024;  // RFC 4787, REQ-3: those below are left alone
inline constexpr uint32_t kNatPorts = 65536 - kNatFirstPort;
inline constexpr uint32_t kNatMostAddresses = 65536;
inline constexpr uint32_t kNatNone = UINT32_MAX;  // no address, no block
/// As the port that a packet goes out by: back in, to another user.
inline constexpr uint16_t kNatHairpin = UINT16_MAX;

/// One block of ports. Numbers of users, workers and blocks stand here and in NatUser with one
/// added: zero is nobody and none.
struct alignas(64) NatBlock {
  std::atomic<uint32_t> user;      // control thread
  std::atomic<uint32_t> owner;     // control thread, before `user`: a worker
  std::atomic<bool> closing;       // control thread: the owner makes no new mappings
  std::atomic<uint32_t> mappings;  // the owner: ports that are in use
  std::atomic<uint32_t> flows;     // the owner: what counts against the user's max_flows
};
static_assert(sizeof(NatBlock) == 64);

/// What a user has.
struct alignas(64) NatUser {
  std::atomic<uint32_t> owner;   // control thread: a worker
  std::atomic<uint32_t> epoch;   // control thread: another's that had this number had another
  std::atomic<uint32_t> wanted;  // the owner: blocks that it asks for in all, while it has too few
  std::atomic<uint32_t> blocks[kNatMostBlocks];  // control thread
  std::atomic<bool> refused;  // control thread: for a second, since it has asked and there was none
  std::atomic<uint32_t> most_blocks, most_flows;  // control thread; 0: as NatTable has it for all

  [[nodiscard]] uint32_t block_count() const noexcept {
    uint32_t count = 0;
    for (const auto& block : blocks) count += block.load(std::memory_order_relaxed) != 0 ? 1 : 0;
    return count;
  }
};
static_assert(sizeof(NatUser) == 64);

/// What control thread and workers share of NAT.
class NatTable {
 public:
  /// `users`: as many as the user table has places. Throws std::bad_alloc.
  NatTable(const NatSettings& settings, uint32_t users);

  const NatSettings settings;
  const uint32_t blocks_each;  // of one address

  [[nodiscard]] uint32_t block_count() const noexcept {
    return static_cast<uint32_t>(addresses_.size()) * blocks_each;
  }
  [[nodiscard]] uint32_t address_count() const noexcept {
    return static_cast<uint32_t>(addresses_.size());
  }
  /// Any thread; a worker uses it until it is quiescent.
  [[nodiscard]] const NatStatics& statics() const noexcept {
    return *statics_.load(std::memory_order_acquire);
  }
  /// Control thread. Returns those of before, which workers may look at until the grace period is
  /// over.
  std::shared_ptr<const NatStatics> exchange(std::shared_ptr<const NatStatics> statics) noexcept {
    statics_.store(statics.get(), std::memory_order_release);
    owned_statics_.swap(statics);
    return statics;
  }
  /// Whether a rule has the port (network order) of the address, and no user may.
  [[nodiscard]] bool is_forwarded(uint32_t address, uint16_t port) const noexcept {
    return statics().inward(address, IPPROTO_TCP, port) ||
           statics().inward(address, IPPROTO_UDP, port);
  }

  /// What the user may have from now on. Any thread.
  [[nodiscard]] NatLimits limits_of(const NatUser& user) const noexcept {
    const uint32_t blocks = user.most_blocks.load(std::memory_order_relaxed);
    const uint32_t flows = user.most_flows.load(std::memory_order_relaxed);
    return {blocks != 0 ? blocks : most_blocks_.load(std::memory_order_relaxed),
            flows != 0 ? flows : most_flows_.load(std::memory_order_relaxed)};
  }
  /// Control thread. `each`: of all users, 0 nowhere; `limits`: of one, 0: as of all. What a user
  /// has beyond them it keeps until it ends.
  void set_limits(const NatLimits& each) noexcept {
    most_blocks_.store(each.blocks, std::memory_order_relaxed);
    most_flows_.store(each.flows, std::memory_order_relaxed);
  }
  void set_limits(uint32_t user, const NatLimits& limits) noexcept {
    users_[user].most_blocks.store(limits.blocks, std::memory_order_relaxed);
    users_[user].most_flows.store(limits.flows, std::memory_order_relaxed);
  }
  [[nodiscard]] NatLimits each() const noexcept {
    return {most_blocks_.load(std::memory_order_relaxed),
            most_flows_.load(std::memory_order_relaxed)};
  }

  NatBlock& block(uint32_t number) noexcept { return blocks_[number]; }
  [[nodiscard]] const NatBlock& block(uint32_t number) const noexcept { return blocks_[number]; }
  NatUser& user(uint32_t number) noexcept { return users_[number]; }
  [[nodiscard]] const NatUser& user(uint32_t number) const noexcept { return users_[number]; }

  /// Which address of the pools this is, in network order; kNatNone: none.
  [[nodiscard]] uint32_t index_of(uint32_t address) const noexcept {
    const uint32_t host = __builtin_bswap32(address);
    for (const Range& range : ranges_) {
      if (host - range.first < range.count) return range.index + (host - range.first);
    }
    return kNatNone;
  }
  /// Whether what comes for this address, in network order, is translated.
  [[nodiscard]] bool is_public(uint32_t address) const noexcept {
    return index_of(address) != kNatNone || statics().inward(address, 0, 0);
  }
  /// The block of a port (host order) of the address with this index; kNatNone where there is none.
  [[nodiscard]] uint32_t block_of(uint32_t index, uint16_t port) const noexcept {
    const uint32_t of_address = (uint32_t{port} - kNatFirstPort) / settings.block_ports;
    const bool there = index != kNatNone && port >= kNatFirstPort && of_address < blocks_each;
    return there ? index * blocks_each + of_address : kNatNone;
  }
  /// The public address of a block, in network order.
  [[nodiscard]] uint32_t address_of(uint32_t block) const noexcept {
    return addresses_[block / blocks_each];
  }
  /// Its first port, host order.
  [[nodiscard]] uint16_t first_port(uint32_t block) const noexcept {
    return static_cast<uint16_t>(kNatFirstPort + block % blocks_each * settings.block_ports);
  }

  /// The number of the mapping at a port of a block; 0: none. The block's owner writes and reads
  /// it.
  uint32_t& mapping(uint32_t block, uint16_t port) noexcept {
    return mappings_[size_t{block} * settings.block_ports + (port - first_port(block))];
  }

  // The block's owner. ---------------------------------------------------------------------------
  /// A port of the block, chosen at random (RFC 6056), that nobody has and no rule; 0: there is
  /// none.
  uint16_t take_port(uint32_t block, uint64_t random) noexcept;
  void give_port(uint32_t block, uint16_t port) noexcept;

 private:
  struct Range {
    uint32_t first;  // host order
    uint32_t count;
    uint32_t index;  // of the first
  };
  static constexpr uint32_t kWordBits = 64;

  [[nodiscard]] uint32_t words_each() const noexcept { return settings.block_ports / kWordBits; }
  void reserve(uint32_t index, uint16_t port) noexcept;

  std::shared_ptr<const NatStatics> owned_statics_;
  std::atomic<const NatStatics*> statics_;          // control thread: of owned_statics_
  std::atomic<uint32_t> most_blocks_, most_flows_;  // control thread: of users without their own
  std::vector<Range> ranges_;
  std::vector<uint32_t> addresses_;  // by index, network order
  LazyArray<NatBlock> blocks_;
  LazyArray<NatUser> users_;
  LazyArray<uint32_t> mappings_;  // by block and port
  LazyArray<uint64_t> taken_;     // a bit for each port
};

/// How many addresses these pools have together.
uint64_t count_addresses(const std::vector<Prefix>& pools) noexcept;

}  // namespace wirelay::dataplane
