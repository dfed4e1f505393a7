// Names and outcomes in words.
#include "ctrl/api/change_line.h"

#include <vector>

#include <fmt/format.h>

#include "ctrl/api/method.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/base/log.h"
#include "ctrl/base/log_limiter.h"
#include "ctrl/base/problem.h"

namespace wirelay::ctrl::api {

namespace {

constexpr size_t kNames = 3;

/// Counts the names that a step is about, and keeps the first few of all.
struct Names {
  std::vector<std::string_view> first;
  size_t count = 0;

  void add(const std::string& name) {
    if (++count <= kNames) first.push_back(name);
  }
  void operator()(const AddUser& step) { add(step.spec.name); }
  void operator()(const SetUser& step) { add(step.change.name); }
  void operator()(const RemoveUser& step) { add(step.name); }
  void operator()(const ResetQuota& step) { add(step.name); }
  void operator()(const AddPeer& step) { add(step.spec.name); }
  void operator()(const SetPeer& step) { add(step.change.name); }
  void operator()(const RemovePeer& step) { add(step.name); }
  void operator()(const ForgetTimestamp& step) { add(step.name); }
  void operator()(const RotateKeys& step) { add(step.name); }
  void operator()(const RenameUsers& step) {
    for (const Renaming& one : step.all) add(one.name);
  }
  void operator()(const RenamePeers& step) {
    for (const Renaming& one : step.all) add(one.name);
  }
};

/// " "alice", "bob" and 40 more". Names are anything that a client sent.
std::string names_of(std::span<const Step> steps) {
  Names names;
  for (const Step& step : steps) std::visit(names, step.change);
  std::string text;
  for (const std::string_view name : names.first) {
    text += (text.empty() ? " " : ", ") + in_quotes(name);
  }
  if (names.count > kNames) text += fmt::format(" and {} more", names.count - kNames);
  return text;
}

std::string counts_text(const ChangeCounts& counts) {
  return fmt::format(
      "users: {} added, {} changed, {} removed; peers: {} added, {} changed, {} "
      "removed",
      counts.users_added, counts.users_changed, counts.users_removed, counts.peers_added,
      counts.peers_changed, counts.peers_removed);
}

std::string outcome_text(const std::exception_ptr& error, const ChangeCounts& counts) {
  if (!error) return counts_text(counts);
  try {
    std::rethrow_exception(error);
  } catch (const Refused& refused) {
    if (refused.problems.empty()) return "refused";
    return fmt::format("refused, the first of {} problems in {}", refused.problems.size(),
                       refused.problems.front().path);
  } catch (const ApiError& error_) {
    return fmt::format("refused: {}", error_.what());
  } catch (const std::exception& failed) {
    return fmt::format("failed: {}", failed.what());
  }
}

}  // namespace

ChangeLine::ChangeLine(const Caller& caller, std::string_view method, std::span<const Step> steps)
    : user_(caller.uid),
      begin_(fmt::format("API: user {} (group {}, process {}) asked for {}{}", caller.uid,
                         caller.gid, caller.pid, method, names_of(steps))) {}

void ChangeLine::log(const std::exception_ptr& error, const ChangeCounts& counts) const {
  if (error) {
    log_limited(LogLevel::kInfo, fmt::format("api.refused.{}", user_), "{}", text(error, counts));
  } else {
    log_info("{}", text(error, counts));
  }
}

std::string ChangeLine::text(const std::exception_ptr& error, const ChangeCounts& counts) const {
  return begin_ + ": " + outcome_text(error, counts);
}

}  // namespace wirelay::ctrl::api
