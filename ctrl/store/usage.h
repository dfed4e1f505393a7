// What users and peers carried, and where peers are, on its way into the store: a lap over all
// users every few seconds, in slices of the control thread. Totals are written, never differences,
// so that nothing counts twice whatever is lost; what is not written yet is still in memory, and
// with the next lap. Control thread only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ctrl/base/now.h"
#include "ctrl/host/slice.h"
#include "ctrl/store/store.h"
#include "ctrl/users/publisher.h"
#include "ctrl/users/registry.h"

namespace wirelay::ctrl {

class Usage {
 public:
  /// All of these outlive it. `interval`: seconds from the begin of one lap to that of the next.
  Usage(const Registry& registry, const Publisher& publisher, const Protocol& protocol,
        const dataplane::Sizes& sizes, Store& store, unsigned interval);

  // At the start: what the store holds already.
  void resume_user(uint32_t user, uint64_t id, const UserLife& life,
                   const dataplane::Traffic& total);
  void resume_peer(uint32_t peer, const PeerLife& life);

  /// What the user with this number in the tables has carried in the step that is not over, as far
  /// as the last lap has seen.
  [[nodiscard]] UsageStep step(uint32_t user) const { return entries_[user].step; }

  /// Whether a lap is to begin now: not while what the last one found is still to be written.
  [[nodiscard]] bool due(const Now& now) const;
  /// Begins one. Then go_on() until it says true.
  void begin(const Now& now);
  bool go_on(const Slice& slice);

 private:
  struct Entry {
    uint64_t id = 0;  // of the user whose these are; a table's number may be given anew
    dataplane::Traffic total;
    UsageStep step;
    uint64_t saved = 0;  // fingerprint of the life that was handed over last
  };
  /// A user that the lap is at, peer by peer. What its peers of before carried is read first: one
  /// that goes meanwhile is counted in one place at most.
  struct Reading {
    UserPtr user;  // null: none
    dataplane::Traffic past, total;
    UserLives lives;
    std::string after;  // the last peer so far
  };
  /// False: there are no more users.
  bool begin_user();
  /// Some peers; true when all of the user's are read.
  bool read_peers();
  void end_user();
  /// The step of the history that the user is in, and the one before when that is over.
  void end_step(Entry& entry, UserLives& lives) const;
  void hand_over();

  const Registry& registry_;
  const Publisher& publisher_;
  const Protocol& protocol_;
  Store& store_;
  const uint64_t interval_ns_;
  std::vector<Entry> entries_;   // by the user's number in the tables
  std::vector<uint64_t> peers_;  // by the peer's: fingerprint of what was handed over last
  std::string after_;            // the last user of this lap so far
  Reading reading_;
  uint64_t now_ = 0;  // when it began, Unix seconds
  uint64_t next_ns_ = 0;
  Lives lives_;      // that are not handed over yet
  size_t rows_ = 0;  // of these
  /// How many pieces are still to be written; the store's thread takes them away, and may outlive
  /// us.
  std::shared_ptr<std::atomic<size_t>> unwritten_ = std::make_shared<std::atomic<size_t>>(0);
};

}  // namespace wirelay::ctrl
