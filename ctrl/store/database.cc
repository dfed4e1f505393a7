// Calls of SQLite's C interface, each with its result looked at.
#include "ctrl/store/database.h"

#include <cstring>
#include <utility>

#include <sqlite3.h>

namespace wirelay::ctrl {

namespace {

/// Another process may look at the file for a moment (a check, a backup).
constexpr int kBusyMilliseconds = 5000;

}  // namespace

// Statement --------------------------------------------------------------------------------------

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void Statement::check(int result) const {
  if (result != SQLITE_OK) throw database_->error();
}

void Statement::bind(int parameter, int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), parameter, value));
}

void Statement::bind(int parameter, std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
}

void Statement::bind(int parameter, std::span<const uint8_t> bytes) {
  check(sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(),
                            SQLITE_TRANSIENT));
}

void Statement::bind_null(int parameter) { check(sqlite3_bind_null(statement_.get(), parameter)); }

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  const StoreError error = database_->error();
  reset();
  throw error;
}

void Statement::run() {
  while (step()) continue;
  reset();
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

bool Statement::is_text(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT;
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::span<const uint8_t> Statement::bytes(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

// Database ---------------------------------------------------------------------------------------

void Database::Close::operator()(sqlite3* connection) const noexcept {
  sqlite3_close_v2(connection);
}

Database::Database(std::string file, Access access, const char* vfs) : file_(std::move(file)) {
  sqlite3* connection = nullptr;
  const int flags =
      access == Access::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int result = sqlite3_open_v2(file_.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, vfs);
  connection_.reset(connection);
  if (result != SQLITE_OK) throw error();
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw error();
  }
}

Statement Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    throw error();
  }
  return {*this, statement};
}

int64_t Database::ask(std::string_view sql) const {
  Statement statement = prepare(sql);
  if (!statement.step()) throw StoreError(file_ + ": no answer to: " + std::string(sql));
  return statement.number(0);
}

void Database::interrupt() const noexcept { sqlite3_interrupt(connection_.get()); }

void Database::roll_back() noexcept {
  // A failure has often ended the transaction already.
  if (sqlite3_get_autocommit(connection_.get()) == 0) {
    sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

StoreError Database::error() const {
  std::string message = file_ + ": ";
  if (!connection_) return StoreError(message + "no memory");
  message += sqlite3_errmsg(connection_.get());
  // What SQLite calls "disk I/O error" the system may know better.
  const int kind = sqlite3_errcode(connection_.get()) & 0xff;
  if (const int cause = sqlite3_system_errno(connection_.get());
      (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) && cause != 0) {
    message += std::string(" (") + std::strerror(cause) + ')';
  }
  const bool of_disk = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL ||
                       kind == SQLITE_READONLY;
  return StoreError(message, of_disk);
}

}  // namespace wirelay::ctrl
