// SQLite, as the store uses it: a connection, prepared statements, and errors that say what was
// wrong with which file. A connection and its statements are one thread's at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace wirelay::ctrl {

/// "/var/lib/wirelay/relay.db: database or disk is full".
class StoreError : public std::runtime_error {
 public:
  /// `of_disk`: the file may be as it should be, and the disk does not take more.
  explicit StoreError(const std::string& message, bool of_disk = false)
      : std::runtime_error(message), of_disk_(of_disk) {}
  [[nodiscard]] bool of_disk() const noexcept { return of_disk_; }

 private:
  bool of_disk_;
};

class Database;

/// A prepared statement. Parameters are numbered from 1, columns from 0, as SQLite does.
class Statement {
 public:
  void bind(int parameter, int64_t value);
  void bind(int parameter, std::string_view text);
  void bind(int parameter, std::span<const uint8_t> bytes);
  void bind_null(int parameter);

  /// True: a row is there to be read. Throws StoreError.
  bool step();
  /// Runs it to its end, for a statement without rows, and makes it ready for the next time.
  void run();
  /// Ready for other values.
  void reset() noexcept;

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] bool is_text(int column) const;
  [[nodiscard]] int64_t number(int column) const;
  // Valid until the next step.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::span<const uint8_t> bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Statement(const Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}
  void check(int result) const;

  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Access : uint8_t { kWrite, kRead };

  /// Opens `file`, and makes it when it is to be written and not there. `vfs`: SQLite's way to the
  /// file system, null for its own. Throws StoreError.
  Database(std::string file, Access access, const char* vfs = nullptr);

  /// Statements without parameters or rows that matter. Throws StoreError.
  void execute(const std::string& sql);
  [[nodiscard]] Statement prepare(std::string_view sql) const;
  /// The one number that `sql` asks for.
  [[nodiscard]] int64_t ask(std::string_view sql) const;

  /// Runs `work` within a transaction: all that it writes is on disk when this returns, or none.
  template <typename Work>
  void write(Work work) {
    execute("BEGIN IMMEDIATE");
    try {
      work();
      execute("COMMIT");
    } catch (...) {
      roll_back();
      throw;
    }
  }

  /// Any thread: what runs now ends soon, with an error.
  void interrupt() const noexcept;

  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  /// What SQLite says of the last call that failed.
  [[nodiscard]] StoreError error() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };
  void roll_back() noexcept;

  std::string file_;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace wirelay::ctrl
