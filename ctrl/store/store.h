// What a relay knows for longer than it runs: users and peers, what they carried, and where peers
// are, in an SQLite file. One thread writes (writer.h): the door waits for it, the control thread
// never does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ctrl/events/outbox.h"
#include "ctrl/store/event_rows.h"
#include "ctrl/store/history.h"
#include "ctrl/store/open_store.h"
#include "ctrl/store/writer.h"
#include "ctrl/users/life.h"
#include "ctrl/users/passage.h"
#include "ctrl/users/standing.h"

namespace wirelay::ctrl {

/// What a user and its peers have come to, read at one moment.
struct UserLives {
  uint64_t user = 0;  // its number
  UserLife life;
  std::vector<UsageStep> over;                                // steps for the history
  std::vector<std::pair<crypto::PublicKey, PeerLife>> peers;  // those that have changed
};
struct Lives {
  uint64_t told = 0;  // Store::told() when they were read
  std::vector<UserLives> users;
};

class Store final : public Journal {
 public:
  /// Opens the file, and makes it and its directory when they are not there. Where the disk does
  /// not let it be written, what it holds is read all the same, and changes are refused. `vfs` as
  /// for Database. Throws StoreError.
  explicit Store(const std::string& file, const char* vfs = nullptr);
  /// What was posted is written first.
  ~Store() override;

  /// What it holds. Before anything is kept.
  [[nodiscard]] Stored read();
  /// Why it takes no changes; "" when it does.
  [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }
  /// Makes it hold these users and peers and no others; what stays keeps its life. At the start.
  void replace(const Stored& before, std::span<const ChangeEvent> added);

  // The door's thread. Changes that cannot be written throw StoreError. -------------------------
  void keep(std::span<const Prepared> requests) override;
  void take_back(std::span<const Prepared> requests) override;
  void settled() override { told_.store(kept_, std::memory_order_release); }

  // Any thread. ----------------------------------------------------------------------------------
  /// How many times changes were kept that are told by now, all of them.
  [[nodiscard]] uint64_t told() const noexcept { return told_.load(std::memory_order_acquire); }
  /// Writes lives when the disk takes them; then calls `written`, on the store's thread.
  void save(Lives lives, std::function<void()> written);
  /// Writes events when the disk takes them. What is more than kMostEvents while others wait is not
  /// kept.
  void save(const std::vector<events::Batch>& batches);
  static constexpr size_t kMostEvents = 50'000, kEventsAtOnce = 1'000;
  /// Has `read` look at the store between writes, on its thread; with null when it cannot.
  void look(std::function<void(const Database* database)> read);

 private:
  struct Statements {
    explicit Statements(Database& database)
        : users(database), peers(database), history(database), events(database) {}
    UserRows users;
    PeerRows peers;
    HistoryRows history;
    EventRows events;
  };
  void write(const ChangeEvent& event);
  void write(const Lives& lives);
  void note_outdated(const ChangeEvent& event);

  /// A file that can be written.
  struct Open {
    Open(const std::string& file, const char* vfs);
    const StoreLock lock;
    Database database;
    Statements statements;
  };
  [[nodiscard]] Database& database() { return open_->database; }

  const std::string file_;
  std::string refusal_;
  // From here on the store's thread, once it is there.
  std::unique_ptr<Open> open_;  // null: it is only read
  std::vector<ChangeEvent>
      not_so_;                 // kept, and neither so nor taken back yet: with what is kept next
  uint64_t next_user_id_ = 1;  // as it is written
  /// Keys of peers that were removed, or whose timestamps were forgotten, by how many times changes
  /// had been kept then: lives that were read before that was told are not theirs any more. And
  /// users whose quotas were reset.
  std::unordered_map<crypto::PublicKey, uint64_t, KeyHash> removed_;
  std::unordered_map<uint64_t, uint64_t> reset_;
  uint64_t kept_ = 0;  // the door's thread
  std::atomic<uint64_t> told_{0};
  std::atomic<size_t> events_waiting_{0};
  StoreWriter writer_;  // last: it uses all of the above
};

}  // namespace wirelay::ctrl
