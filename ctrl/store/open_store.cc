// The file on the disk: made, guarded, set up, and read whole.
#include "ctrl/store/open_store.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/base/log.h"
#include "ctrl/store/event_rows.h"
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

/// WAL and FULL: what is committed is on the disk, and readers do not stand in the way.
void set_up(Database& database) {
  database.execute("PRAGMA journal_mode = WAL");
  database.execute("PRAGMA synchronous = FULL");
  database.execute("PRAGMA secure_delete = ON");  // a key that is taken away is gone
  bring_up_to_date(database);
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

StoreLock::StoreLock(const std::string& file) {
  const std::filesystem::path directory = std::filesystem::path(file).parent_path();
  // Only the last part of it: more would be a slip of the pen.
  if (!directory.empty() && mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    throw file_error(file + ": its directory cannot be made");
  }
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

Database open_store(const std::string& file, const char* vfs) {
  Database database(prepared(file), Database::Access::kWrite, vfs);
  set_up(database);
  return database;
}

uint64_t next_user_id(const Database& database) {
  const auto written = static_cast<uint64_t>(database.ask(fmt::format(
      "SELECT COALESCE((SELECT value FROM numbers WHERE name = '{}'), 1)", kNextUserId)));
  const auto greatest =
      static_cast<uint64_t>(database.ask("SELECT COALESCE(MAX(id), 0) FROM users"));
  return std::max(written, greatest + 1);
}

void number_users_from(Database& database, uint64_t id) {
  Statement statement = database.prepare(
      "INSERT INTO numbers(name, value) VALUES(?, ?)"
      " ON CONFLICT DO UPDATE SET value = MAX(value, excluded.value)");
  statement.bind(1, kNextUserId);
  statement.bind(2, static_cast<int64_t>(id));
  statement.run();
}

Stored read_all(Database& database) {
  Stored stored;
  stored.users = UserRows::all(database);
  stored.peers = PeerRows::all(database, stored.users);
  stored.events = EventRows::last(database, EventRows::kMost);
  stored.released = PeerRows::released(database);
  stored.next_user_id = next_user_id(database);
  return stored;
}

Stored read_store(const std::string& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    Database database(file, Database::Access::kRead);
    if (check_schema(database)) return read_all(database);
  } catch (const StoreError& error) {
    if (!error.of_disk()) throw;
  }
  // SQLite wants to write beside the file even to read what was written last; and what an earlier
  // relay wrote is to be brought up to date.
  const Scratch scratch;
  for (const char* part : {"", "-wal"}) {
    const std::filesystem::path from = file + part;
    std::error_code error;
    if (*part != '\0' && !std::filesystem::exists(from)) continue;
    std::filesystem::copy_file(from, scratch.path(std::string("store") + part), error);
    if (error)
      throw StoreError(fmt::format("{}: cannot be copied: {}", from.string(), error.message()));
  }
  Database database(scratch.path("store"), Database::Access::kWrite);
  bring_up_to_date(database);
  return read_all(database);
}

}  // namespace wirelay::ctrl
