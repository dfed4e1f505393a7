// The store's file: opened for one relay, or only read. Internal to ctrl/store, but for
// read_store().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctrl/events/event.h"
#include "ctrl/store/database.h"
#include "ctrl/store/rows.h"
#include "ctrl/users/address_book.h"

namespace wirelay::ctrl {

/// All that a store holds of users and peers.
struct Stored {
  std::vector<StoredUser> users;
  std::vector<StoredPeer> peers;
  std::vector<ReleasedAddress> released;  // of peers that are gone, the oldest first
  std::vector<events::Event> events;      // the last, the oldest first
  uint64_t next_user_id = 1;
};

/// Holds the file against other relays, as long as it lives; makes its directory when there is
/// none. Throws StoreError when another has it.
class StoreLock {
 public:
  explicit StoreLock(const std::string& file);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Makes the file when it is not there, for nobody else's eyes, and brings it up to date. Throws
/// StoreError.
Database open_store(const std::string& file, const char* vfs);

uint64_t next_user_id(const Database& database);
/// Never lowers it.
void number_users_from(Database& database, uint64_t id);

Stored read_all(Database& database);

/// What the file holds, without writing to it; nothing where there is no file. Throws StoreError.
Stored read_store(const std::string& file);

}  // namespace wirelay::ctrl
