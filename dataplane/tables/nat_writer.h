// The control thread's side of NAT44's table: which user has which blocks of ports, which are free,
// and which rest, so that what the world remembers of a port is not the next user's.
//
//            serve()              no mapping for a while
//   free ───────────────► held ───────────────────────────► closing ──► resting ──► free
//                          │                                   │ a mapping came first: held
//                          └── its user is removed ► leaving ──┴ once its mappings have ended
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/rcu.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/nat.h"

namespace wirelay::dataplane {

/// One block given or taken back: the record of who had which ports.
struct NatBlockRecord {
  bool given;
  uint32_t user;     // number
  uint32_t address;  // network order
  uint16_t first_port, last_port;
  uint32_t inside;  // who asked for it, network order; the user may have others
};

class NatWriter {
 public:
  static constexpr uint64_t kIdleSeconds = 120;  // without a mapping, before a block is taken back
  static constexpr uint64_t kRestSeconds = 120;  // before another gets it

  using Tell = std::function<void(const NatBlockRecord& record)>;
  /// `tell` hears of each block that is given and taken back.
  NatWriter(NatTable& table, Rcu& rcu, Tell tell);

  /// A packet of the user waits with the control thread because `worker` found no port for it.
  /// Gives a block where that is what it lacks. The worker that owns the user's mappings, which the
  /// packet goes to; nothing when no block of the user's address is left. `inside`: the packet's
  /// source, for the record. Who was refused does not ask again within a second.
  std::optional<unsigned> serve(uint32_t user, unsigned worker, uint32_t inside = 0);

  /// Takes all away from a user who goes; its flows end in the next seconds.
  void remove_user(uint32_t user);

  /// These rules hold from now on. What users have open of their ports ends within seconds. They
  /// are made elsewhere: 65,536 ports take 18 ms.
  void set_statics(std::shared_ptr<const NatStatics> statics);

  /// Looks at `most` blocks that users have, one behind the other in laps. `now`: seconds of any
  /// clock that only goes on.
  void tick(uint64_t now, uint32_t most);

  [[nodiscard]] uint32_t free_blocks() const noexcept { return free_count_; }
  [[nodiscard]] uint32_t resting_blocks() const noexcept {
    return static_cast<uint32_t>(resting_.size());
  }

 private:
  enum class State : uint8_t { kFree, kHeld, kClosing, kLeaving, kLeft };  // kFree: resting, too
  struct Rest {
    uint32_t block;
    uint64_t until;
  };
  /// Of one address.
  struct Address {
    std::vector<uint16_t> returned;  // the one that was given back first in front
    uint16_t fresh = 0;              // blocks from here on were never given
  };

  std::optional<uint32_t> take_block(const NatUser& user);
  uint32_t take_of(uint32_t address);
  [[nodiscard]] bool has_free(const Address& address) const noexcept {
    return address.fresh != table_.blocks_each || !address.returned.empty();
  }
  /// True when it is nobody's any more.
  bool look(uint32_t block, uint64_t now);
  void settle(uint32_t block);
  void rest(uint32_t block);
  void unlink(uint32_t user, uint32_t block);
  void tell(bool given, uint32_t user, uint32_t block) const;

  NatTable& table_;
  Rcu& rcu_;
  const Tell tell_;
  std::vector<Address> addresses_;
  std::vector<uint32_t> refused_;   // users, since the last tick of another second
  std::vector<uint32_t> given_;     // blocks in any other state than kFree
  LazyArray<State> states_;         // of blocks
  LazyArray<uint32_t> inside_;      // who asked for each
  LazyArray<uint64_t> idle_since_;  // of those that are held; 0: it has mappings
  std::deque<Rest> resting_;        // the first that is over in front
  uint32_t free_count_;
  uint32_t next_address_ = 0;
  size_t next_look_ = 0;  // in given_
  uint64_t now_ = 1;
};

}  // namespace wirelay::dataplane
