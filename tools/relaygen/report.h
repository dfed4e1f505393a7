// Results for people, as tables, and for programs, as JSON; docs/pktgen.md tells its fields.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include <json/value.h>

#include "tools/relaygen/handshaker.h"
#include "tools/relaygen/storm.h"
#include "tools/relaygen/trial.h"

namespace wirelay::relaygen {

Json::Value to_json(const TrialResult& result);
Json::Value to_json(const HandshakeResult& result, uint32_t window);

Json::Value to_json(const StormResult& result);

/// What came of another generator's packets.
Json::Value to_json(const Counts& counts, uint32_t users, double seconds);

/// Rows under a heading, columns aligned to the right; nothing at all without rows.
class Table {
 public:
  Table() = default;
  explicit Table(std::vector<std::string> heading) : rows_{std::move(heading)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// The columns of a trial.
Table trial_table();
void add_trial(Table& table, const TrialResult& result);

/// What of a trial a table has no room for, a line each; empty when all is well.
std::vector<std::string> remarks(const TrialResult& result);

/// "up, 10 users, size 64: ", to begin a remark with.
std::string describe(const TrialPlan& plan);

/// printf's %.*f.
std::string fixed(double value, int decimals);

/// Throws Failure when the file could not be written: better known before than after the work.
void check_json(const std::string& path);

/// Writes to a file, or to standard output for "-". Throws Failure.
void write_json(const std::string& path, const Json::Value& value);

}  // namespace wirelay::relaygen
