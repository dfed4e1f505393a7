// The steps of a request's way.
#include "ctrl/users/passage.h"

#include <stdexcept>
#include <thread>
#include <utility>

#include "ctrl/base/log.h"
#include "ctrl/users/transaction.h"

namespace wirelay::ctrl {

namespace {

template <typename Event>
ChangeEvent reversed(const Event& event) {
  return Event{event.after, event.before};
}

}  // namespace

bool Telling::run(const Slice& slice) {
  do {
    if (error_) {
      if (told_ == 0) return true;
      if (!undo_next()) return false;
    } else {
      if (told_ == events_.size()) return true;
      if (!tell_next()) return false;
    }
  } while (!slice.over());
  return error_ ? told_ == 0 : told_ == events_.size();
}

bool Telling::tell_next() {
  try {
    if (!observer_.tell(events_[told_])) return false;
    registry_.enter(events_[told_]);
    ++told_;
  } catch (...) {
    error_ = std::current_exception();
  }
  return true;
}

bool Telling::undo_next() {
  const ChangeEvent event =
      std::visit([](const auto& e) { return reversed(e); }, events_[told_ - 1]);
  try {
    // What was there a moment ago fits again, at the latest after a grace period.
    if (!observer_.tell(event)) return false;
  } catch (const std::exception& failure) {
    log_error("a change that failed midway could not be undone wholly: {}", failure.what());
  }
  registry_.enter(event);
  --told_;
  return true;
}

CheckedSteps check_steps(const Registry& registry, Origin origin, std::span<const Step> steps,
                         const std::stop_token& stop) {
  Transaction transaction(registry.state(), origin);
  for (const Step& step : steps) {
    if (stop.stop_requested()) throw std::runtime_error("the relay ends");
    transaction.run(step);
  }
  return std::move(transaction).finish();
}

ChangeOutcome pass(Registry& registry, ChangeObserver& observer, Journal* journal,
                   const ChangeRequest& request, const Tell& tell, std::stop_token stop) {
  ChangeOutcome outcome;
  try {
    const auto [events, warnings] =
        check_steps(registry, request.origin, request.steps(registry, stop), stop);
    outcome.warnings = warnings;
    outcome.counts = count(events);
    if (request.dry_run) {
      outcome.difference = describe(events);
      return outcome;
    }
    if (journal != nullptr) journal->keep(request, events);
    Telling telling(registry, observer, events);
    if (!tell(telling)) throw std::runtime_error("the relay ends");
    outcome.error = telling.error();
    if (outcome.error && journal != nullptr) journal->take_back(request, events);
  } catch (...) {
    outcome.error = std::current_exception();
  }
  if (outcome.error) {
    outcome.counts = {};
    outcome.warnings = {};
  }
  return outcome;
}

ChangeOutcome pass_at_once(Registry& registry, ChangeObserver& observer,
                           const ChangeRequest& request) {
  const auto tell = [](Telling& telling) {
    while (!telling.run(Slice(std::chrono::seconds(1)))) std::this_thread::yield();
    return true;
  };
  return pass(registry, observer, nullptr, request, tell);
}

}  // namespace wirelay::ctrl
