// Tables and columns that are missing are added; what is there is left.
#include "ctrl/store/schema.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <set>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/store/columns.h"

namespace wirelay::ctrl {

namespace {

/// "wrly": tells a store from other databases (SQLite's application_id).
constexpr int kApplicationId = 0x77726c79;

struct Table {
  const char* name;
  std::vector<Column> columns;
  const char* constraint;  // behind the columns
  const char* options;
};

std::vector<Table> tables() {
  return {
      {"users", user_columns(), "", ""},
      {"peers", peer_columns(), "", "WITHOUT ROWID"},
      // What each user carried in each step that is over. A step is one of kHistorySteps.
      {"history",
       {{"step", "INTEGER NOT NULL"},
        {"begin", "INTEGER NOT NULL"},
        {"user", "INTEGER NOT NULL"},
        {"rx_packets", "INTEGER NOT NULL"},
        {"rx_bytes", "INTEGER NOT NULL"},
        {"tx_packets", "INTEGER NOT NULL"},
        {"tx_bytes", "INTEGER NOT NULL"}},
       ", PRIMARY KEY(step, begin, user)",
       "WITHOUT ROWID"},
      // Addresses that peers had who are gone: for a day they are theirs, should they come back.
      {"released",
       {{"public_key", "BLOB NOT NULL"}, {"address", "TEXT NOT NULL"}, {"at", "INTEGER NOT NULL"}},
       ", PRIMARY KEY(at, public_key, address)",
       "WITHOUT ROWID"},
      // Users that were removed, and whose history is not forgotten yet.
      {"gone", {{"user", "INTEGER PRIMARY KEY"}}, "", ""},
      {"events",
       {{"number", "INTEGER PRIMARY KEY"},
        {"unix_ns", "INTEGER NOT NULL"},
        {"kind", "TEXT NOT NULL"},
        {"user", "TEXT NOT NULL"},
        {"peer", "TEXT NOT NULL"},
        {"fields", "TEXT NOT NULL"}},
       "",
       ""},
      {"numbers", {{"name", "TEXT PRIMARY KEY"}, {"value", "INTEGER NOT NULL"}}, "", ""},
  };
}

std::set<std::string> columns_of(const Database& database, const char* table) {
  Statement row = database.prepare(fmt::format("SELECT name FROM pragma_table_info('{}')", table));
  std::set<std::string> names;
  while (row.step()) names.emplace(row.text(0));
  return names;
}

/// Statements that make what is missing.
std::vector<std::string> missing(const Database& database) {
  std::vector<std::string> statements;
  for (const Table& table : tables()) {
    const std::set<std::string> there = columns_of(database, table.name);
    std::string columns;
    for (const Column& column : table.columns) {
      columns +=
          fmt::format("{}{} {}", columns.empty() ? "" : ", ", quoted_name(column), column.type);
      if (there.empty() || there.contains(column.name)) continue;
      statements.push_back(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table.name,
                                       quoted_name(column), column.type));
    }
    if (there.empty()) {
      statements.push_back(fmt::format("CREATE TABLE {}({}{}) {}", table.name, columns,
                                       table.constraint, table.options));
    }
  }
  // A peer that comes finds its user by it.
  statements.emplace_back("CREATE INDEX IF NOT EXISTS users_by_name ON users(name)");
  return statements;
}

bool is_complete(const Database& database) {
  return std::ranges::all_of(tables(), [&](const Table& table) {
    const std::set<std::string> there = columns_of(database, table.name);
    return std::ranges::all_of(table.columns,
                               [&](const Column& column) { return there.contains(column.name); });
  });
}

bool holds_anything(const Database& database) {
  return database.ask("SELECT COUNT(*) FROM sqlite_schema") != 0;
}

}  // namespace

namespace {

/// To the disk, with the entry of its directory. Throws StoreError.
void sync(const std::string& file) {
  const std::string directory = std::filesystem::path(file).parent_path();
  for (const std::string& part : {file, directory.empty() ? std::string(".") : directory}) {
    const int descriptor = open(part.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = descriptor >= 0 && fsync(descriptor) == 0;
    const int error = errno;
    if (descriptor >= 0) close(descriptor);
    if (!done) throw StoreError(fmt::format("{}: {}", part, std::strerror(error)));
  }
}

}  // namespace

void copy_to(const Database& database, const std::string& file) {
  // SQLite would make it for all to read; an empty one it takes.
  const int made = open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (made < 0) throw StoreError(fmt::format("{}: {}", file, std::strerror(errno)));
  close(made);
  try {
    Statement copy = database.prepare("VACUUM INTO ?");
    copy.bind(1, std::string_view(file));
    copy.run();
    sync(file);
  } catch (...) {
    unlink(file.c_str());
    throw;
  }
}

bool check_schema(const Database& database) {
  const int64_t application = database.ask("PRAGMA application_id");
  const int64_t version = database.ask("PRAGMA user_version");
  if (!holds_anything(database)) return false;
  if (application != kApplicationId) {
    throw StoreError(database.file() + ": is a database, but no store of a relay");
  }
  if (version > kSchemaVersion) {
    throw StoreError(
        fmt::format("{}: was written by a later relayd (version {} of the store, this "
                    "one knows {}); go back to it, or to a copy of before",
                    database.file(), version, kSchemaVersion));
  }
  return version == kSchemaVersion && is_complete(database);
}

void bring_up_to_date(Database& database) {
  if (check_schema(database)) return;
  if (holds_anything(database)) {
    copy_to(database, fmt::format("{}.before-{}", database.file(), std::time(nullptr)));
  }
  database.write([&] {
    for (const std::string& statement : missing(database)) database.execute(statement);
    database.execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  });
}

}  // namespace wirelay::ctrl
