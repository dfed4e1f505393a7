// Changes and lives on their way into the file.
#include "ctrl/store/store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <ranges>
#include <unordered_set>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/base/log.h"
#include "ctrl/store/schema.h"

namespace wirelay::ctrl {

namespace {

constexpr std::string_view kNextUserId = "next_user_id";

/// Of the call that has just failed.
StoreError file_error(const std::string& what) {
  const bool of_disk = errno == EROFS || errno == ENOSPC || errno == EDQUOT || errno == EIO;
  return StoreError(what + ": " + std::strerror(errno), of_disk);
}

/// `file`, which is there and for nobody else's eyes when this returns.
std::string prepared(const std::string& file) {
  const std::filesystem::path directory = std::filesystem::path(file).parent_path();
  // Only the last part of it: more would be a slip of the pen.
  if (!directory.empty() && mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    throw file_error(file + ": its directory cannot be made");
  }
  const int made = open(file.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (made < 0) throw file_error(file);
  struct stat info {};
  const bool known = fstat(made, &info) == 0;
  close(made);
  if (known && (info.st_mode & 077) != 0) {
    log_warning(
        "{}: others than its owner can read the store, and preshared keys are in it (mode {:04o}); "
        "chmod 600 it",
        file, info.st_mode & 07777);
  }
  return file;
}

uint64_t next_user_id(const Database& database) {
  const auto written = static_cast<uint64_t>(database.ask(fmt::format(
      "SELECT COALESCE((SELECT value FROM numbers WHERE name = '{}'), 1)", kNextUserId)));
  const auto greatest =
      static_cast<uint64_t>(database.ask("SELECT COALESCE(MAX(id), 0) FROM users"));
  return std::max(written, greatest + 1);
}

Stored read_all(Database& database) {
  Stored stored;
  stored.users = UserRows::all(database);
  stored.peers = PeerRows::all(database, stored.users);
  stored.next_user_id = next_user_id(database);
  return stored;
}

/// WAL and FULL: what is committed is on the disk, and readers do not stand in the way.
void set_up(Database& database) {
  database.execute("PRAGMA journal_mode = WAL");
  database.execute("PRAGMA synchronous = FULL");
  database.execute("PRAGMA secure_delete = ON");  // a key that is taken away is gone
  bring_up_to_date(database);
}

Database open_store(const std::string& file, const char* vfs) {
  Database database(file, Database::Access::kWrite, vfs);
  set_up(database);
  return database;
}

ChangeEvent reversed(const ChangeEvent& event) {
  if (const auto* user = std::get_if<UserEvent>(&event))
    return UserEvent{user->after, user->before};
  const auto& peer = std::get<PeerEvent>(event);
  return PeerEvent{peer.after, peer.before};
}

template <typename Value>
bool same_value(const Value& a, const Value& b) {
  return a == b;
}
bool same_value(const std::optional<crypto::Secret>& a, const std::optional<crypto::Secret>& b) {
  return a.has_value() == b.has_value() && (!a || crypto::equal(a->bytes(), b->bytes()));
}

bool same(const UserSpec& a, const UserSpec& b) {
  return a.name == b.name && a.origin == b.origin && a.values == b.values;
}
/// But for whose they are.
bool same(const PeerSpec& a, const PeerSpec& b) {
  bool result = a.name == b.name && a.origin == b.origin;
  for_each_peer_field(
      [&](PeerField, auto member) { result = result && same_value(a.*member, b.*member); });
  return result;
}

}  // namespace

StoreLock::StoreLock(const std::string& file) {
  // Not the file itself: to close it would end the locks that SQLite has on it.
  const std::string name = file + ".lock";
  descriptor_ = open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor_ < 0) throw file_error(name);
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor_);
    throw StoreError(file + ": another relay has it; each needs a store of its own");
  }
}

StoreLock::~StoreLock() { close(descriptor_); }

Store::Open::Open(const std::string& file, const char* vfs)
    : lock(prepared(file)), database(open_store(file, vfs)), statements(database) {}

Store::Store(const std::string& file, const char* vfs) : file_(file) {
  try {
    open_ = std::make_unique<Open>(file, vfs);
    next_user_id_ = next_user_id(database());
  } catch (const StoreError& error) {
    if (!error.of_disk() || !std::filesystem::exists(file)) throw;
    refusal_ = error.what();
  }
}

Store::~Store() = default;

Stored Store::read() {
  if (!open_) return read_store(file_);
  Stored stored;
  writer_.run([&] { stored = read_all(database()); });
  return stored;
}

void Store::replace(const Stored& before, std::span<const ChangeEvent> added) {
  std::unordered_map<uint64_t, const UserSpec*> users;
  std::unordered_map<crypto::PublicKey, const PeerSpec*, KeyHash> peers;
  std::unordered_map<std::string_view, uint64_t> was_numbered, is_numbered;  // users by their names
  for (const StoredUser& user : before.users) {
    users[user.spec.id] = &user.spec;
    was_numbered[user.spec.name] = user.spec.id;
  }
  for (const StoredPeer& peer : before.peers) peers[peer.spec.public_key] = &peer.spec;

  if (!open_) return;
  uint64_t next_id = before.next_user_id;
  std::vector<const UserSpec*> new_users, changed_users;
  std::vector<const PeerSpec*> new_peers, changed_peers;
  const auto sort_in = [](auto& known, const auto& key, const auto& spec, auto& fresh,
                          auto& changed) {
    const auto found = known.find(key);
    if (found == known.end()) return fresh.push_back(&spec);
    if (!same(*found->second, spec)) changed.push_back(&spec);
    known.erase(found);
  };
  for (const ChangeEvent& event : added) {
    if (const auto* user = std::get_if<UserEvent>(&event)) {
      next_id = std::max(next_id, user->after->id + 1);
      is_numbered[user->after->name] = user->after->id;
      sort_in(users, user->after->id, *user->after, new_users, changed_users);
    } else {
      const PeerSpec& peer = *std::get<PeerEvent>(event).after;
      const auto found = peers.find(peer.public_key);
      // Another user's is another peer.
      if (found != peers.end() &&
          was_numbered.at(found->second->user) != is_numbered.at(peer.user)) {
        new_peers.push_back(&peer);
      } else {
        sort_in(peers, peer.public_key, peer, new_peers, changed_peers);
      }
    }
  }
  writer_.run([&] {
    database().write([&] {
      for (const auto& [key, peer] : peers) open_->statements.peers.remove(key);
      for (const auto& [id, user] : users) {
        open_->statements.users.remove(id);
        open_->statements.history.remove(id);
      }
      for (const UserSpec* user : changed_users) open_->statements.users.update(*user);
      for (const UserSpec* user : new_users) open_->statements.users.insert(*user);
      for (const PeerSpec* peer : changed_peers) open_->statements.peers.update(*peer);
      for (const PeerSpec* peer : new_peers) open_->statements.peers.insert(*peer);
      number_users_from(next_id);
    });
    next_user_id_ = next_id;
  });
}

void Store::keep(std::span<const Prepared> requests) {
  if (!open_) throw StoreError("nothing was changed, for it could not be kept: " + refusal_);
  uint64_t next_id = 0;
  for (const Prepared& request : requests) {
    for (const ChangeEvent& event : request.events) {
      const auto* user = std::get_if<UserEvent>(&event);
      if (user != nullptr && user->after) next_id = std::max(next_id, user->after->id + 1);
    }
  }
  writer_.run([&] {
    database().write([&] {
      for (const ChangeEvent& event : not_so_) write(event);
      for (const Prepared& request : requests) {
        for (const ChangeEvent& event : request.events) write(event);
      }
      if (next_id > next_user_id_) number_users_from(next_id);
    });
    not_so_.clear();
    next_user_id_ = std::max(next_user_id_, next_id);
    ++kept_;  // the door's thread waits
    for (const Prepared& request : requests) {
      for (const ChangeEvent& event : request.events) note_removed(event);
    }
  });
}

void Store::take_back(std::span<const Prepared> requests) {
  std::vector<ChangeEvent> events;
  for (const Prepared& request : requests | std::views::reverse) {
    for (const ChangeEvent& event : request.events | std::views::reverse) {
      events.push_back(reversed(event));
    }
  }
  writer_.run([&] {
    not_so_.insert(not_so_.end(), events.begin(), events.end());
    try {
      database().write([&] {
        for (const ChangeEvent& event : not_so_) write(event);
      });
      not_so_.clear();
    } catch (const StoreError& error) {
      log_error("what was stored and then failed is taken back with the next change: {}",
                error.what());
    }
  });
}

void Store::write(const ChangeEvent& event) {
  if (const auto* user = std::get_if<UserEvent>(&event)) {
    if (!user->before) {
      open_->statements.users.insert(*user->after);
    } else if (!user->after) {
      open_->statements.users.remove(user->before->id);
      open_->statements.history.remove(user->before->id);
    } else if (user->before != user->after) {
      open_->statements.users.update(*user->after);
    }
    return;
  }
  const auto& peer = std::get<PeerEvent>(event);
  if (!peer.before) {
    open_->statements.peers.insert(*peer.after);
  } else if (!peer.after) {
    open_->statements.peers.remove(peer.before->public_key);
  } else if (peer.before != peer.after) {
    open_->statements.peers.update(*peer.after);
  }
}

void Store::note_removed(const ChangeEvent& event) {
  const auto* peer = std::get_if<PeerEvent>(&event);
  if (peer != nullptr && !peer->after) removed_[peer->before->public_key] = kept_;
}

void Store::number_users_from(uint64_t id) {
  Statement statement = database().prepare(
      "INSERT INTO numbers(name, value) VALUES(?, ?)"
      " ON CONFLICT DO UPDATE SET value = MAX(value, excluded.value)");
  statement.bind(1, kNextUserId);
  statement.bind(2, static_cast<int64_t>(id));
  statement.run();
}

void Store::save(Lives lives, std::function<void()> written) {
  writer_.post([this, lives = std::move(lives), written = std::move(written)] {
    database().write([&] {
      write(lives);
      open_->statements.history.prune(static_cast<uint64_t>(std::time(nullptr)));
    });
    std::erase_if(removed_, [&](const auto& removed) { return removed.second <= lives.told; });
    written();
  });
}

void Store::write(const Lives& lives) {
  for (const UserLives& user : lives.users) {
    open_->statements.users.save(user.user, user.life);
    for (const auto& [key, life] : user.peers) {
      const auto removed = removed_.find(key);
      if (removed == removed_.end() || removed->second <= lives.told) {
        open_->statements.peers.save(key, life);
      }
    }
    for (const UsageStep& step : user.over) open_->statements.history.add(user.user, step);
  }
}

void Store::look(const std::function<void(Database& database)>& read) {
  if (!open_) throw StoreError(refusal_);
  writer_.run([&] { read(database()); });
}

namespace {

Stored read_from(Database& database) {
  return check_schema(database) ? read_all(database) : Stored();
}

/// A folder in memory that is gone with this.
class Scratch {
 public:
  Scratch() {
    if (mkdtemp(path_.data()) == nullptr) {
      throw StoreError(fmt::format("{}: {}", path_, std::strerror(errno)));
    }
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_ = "/dev/shm/wirelay-XXXXXX";
};

}  // namespace

Stored read_store(const std::string& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    Database database(file, Database::Access::kRead);
    return read_from(database);
  } catch (const StoreError& error) {
    if (!error.of_disk()) throw;
  }
  // SQLite wants to write beside the file even to read what was written last.
  const Scratch scratch;
  for (const char* part : {"", "-wal"}) {
    std::error_code missing;
    std::filesystem::copy_file(file + part, scratch.path(std::string("store") + part), missing);
  }
  Database database(scratch.path("store"), Database::Access::kWrite);
  return read_from(database);
}

}  // namespace wirelay::ctrl
