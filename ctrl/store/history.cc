// The history's rows. They lie in the order of time: steps that end together are written side by
// side, and what is old goes in one piece. A user's are then found one by one.
#include "ctrl/store/history.h"

#include <algorithm>

namespace wirelay::ctrl {

HistoryRows::HistoryRows(Database& database)
    : add_(database.prepare(
          "INSERT INTO history(step, begin, user, rx_packets, rx_bytes, tx_packets, tx_bytes)"
          " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
          " rx_packets = rx_packets + excluded.rx_packets, rx_bytes = rx_bytes + excluded.rx_bytes,"
          " tx_packets = tx_packets + excluded.tx_packets, tx_bytes = tx_bytes + "
          "excluded.tx_bytes")),
      forget_old_(database.prepare(
          "DELETE FROM history WHERE (step, begin, user) IN (SELECT step, begin, user"
          " FROM history WHERE step = ? AND begin < ? ORDER BY begin LIMIT ?)")),
      forget_step_(
          database.prepare("DELETE FROM history WHERE step = ? AND begin = ? AND user = ?")),
      remove_(database.prepare("INSERT OR IGNORE INTO gone(user) VALUES(?)")),
      next_gone_(database.prepare("SELECT user FROM gone LIMIT 1")),
      forgotten_(database.prepare("DELETE FROM gone WHERE user = ?")) {}

void HistoryRows::add(uint64_t user, const UsageStep& step) {
  for (const HistorySteps& steps : kHistorySteps) {
    int parameter = 0;
    for (const uint64_t value : {uint64_t{steps.seconds}, step_begin(step.begin, steps.seconds),
                                 user, step.traffic.rx_packets, step.traffic.rx_bytes,
                                 step.traffic.tx_packets, step.traffic.tx_bytes}) {
      add_.bind(++parameter, static_cast<int64_t>(value));
    }
    add_.run();
  }
}

void HistoryRows::remove(uint64_t user) {
  remove_.bind(1, static_cast<int64_t>(user));
  remove_.run();
}

void HistoryRows::keep(uint64_t user) {
  forgotten_.bind(1, static_cast<int64_t>(user));
  forgotten_.run();
}

void HistoryRows::forget(uint64_t user, uint64_t now) {
  for (const HistorySteps& steps : kHistorySteps) {
    const uint64_t oldest = step_begin(now > steps.kept ? now - steps.kept : 0, steps.seconds);
    for (uint64_t begin = oldest; begin <= now; begin += steps.seconds) {
      forget_step_.bind(1, int64_t{steps.seconds});
      forget_step_.bind(2, static_cast<int64_t>(begin));
      forget_step_.bind(3, static_cast<int64_t>(user));
      forget_step_.run();
    }
  }
  forgotten_.bind(1, static_cast<int64_t>(user));
  forgotten_.run();
}

void HistoryRows::prune(uint64_t now) {
  constexpr int kGoneAtOnce = 10;
  constexpr int64_t kOldAtOnce = 1000;
  for (int i = 0; i < kGoneAtOnce && next_gone_.step(); ++i) {
    const auto user = static_cast<uint64_t>(next_gone_.number(0));
    next_gone_.reset();
    forget(user, now);
  }
  next_gone_.reset();
  for (const HistorySteps& steps : kHistorySteps) {
    const uint64_t oldest = now > steps.kept ? now - steps.kept : 0;
    forget_old_.bind(1, int64_t{steps.seconds});
    forget_old_.bind(2, static_cast<int64_t>(oldest));
    forget_old_.bind(3, kOldAtOnce);
    forget_old_.run();
  }
}

std::vector<UsageStep> HistoryRows::read(const Database& database, uint64_t user, uint32_t seconds,
                                         uint64_t since, uint64_t until) {
  Statement row = database.prepare(
      "SELECT rx_packets, rx_bytes, tx_packets, tx_bytes FROM history"
      " WHERE step = ? AND begin = ? AND user = ?");
  std::vector<UsageStep> result;
  // Each by its key: what lies between is others'.
  for (uint64_t begin = step_begin(since + seconds - 1, seconds); begin < until; begin += seconds) {
    row.bind(1, int64_t{seconds});
    row.bind(2, static_cast<int64_t>(begin));
    row.bind(3, static_cast<int64_t>(user));
    if (row.step()) {
      result.push_back(
          {begin,
           {static_cast<uint64_t>(row.number(0)), static_cast<uint64_t>(row.number(1)),
            static_cast<uint64_t>(row.number(2)), static_cast<uint64_t>(row.number(3))}});
    }
    row.reset();
  }
  return result;
}

}  // namespace wirelay::ctrl
