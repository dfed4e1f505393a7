// The steps of a request's way.
#include "ctrl/users/passage.h"

#include <stdexcept>
#include <thread>
#include <utility>

#include "ctrl/base/log.h"
#include "ctrl/users/registry_state.h"
#include "ctrl/users/transaction.h"

namespace wirelay::ctrl {

namespace {

CheckedSteps check_on(const Standing& standing, std::optional<Origin> origin,
                      std::span<const Step> steps, const std::stop_token& stop) {
  Transaction transaction(standing, origin);
  transaction.run(steps, stop);
  return std::move(transaction).finish();
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
  const ChangeEvent event = reversed(events_[told_ - 1]);
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

CheckedSteps check_steps(const Registry& registry, std::optional<Origin> origin,
                         std::span<const Step> steps, const std::stop_token& stop) {
  return check_on(registry.state(), origin, steps, stop);
}

bool may_follow(const ChangeRequest& request) { return request.make_steps == nullptr; }

namespace {

/// Requests on their way, together.
class Passage {
 public:
  Passage(Registry& registry, ChangeObserver& observer, Journal* journal, const Tell& tell,
          const std::stop_token& stop)
      : registry_(registry), observer_(observer), journal_(journal), tell_(tell), stop_(stop) {}

  /// Writes to `outcomes`, one for each of `requests`.
  void run(std::span<const ChangeRequest* const> requests, std::span<ChangeOutcome> outcomes) {
    prepare(requests, outcomes);
    if (prepared_.empty()) return;
    try {
      if (journal_ != nullptr) journal_->keep(prepared_);
    } catch (...) {
      for (const size_t i : places_) outcomes[i].error = std::current_exception();
      return;
    }
    tell(requests, outcomes);
    if (journal_ != nullptr) journal_->settled();
  }

 private:
  void tell(std::span<const ChangeRequest* const> requests, std::span<ChangeOutcome> outcomes) {
    for (size_t k = 0; k < prepared_.size(); ++k) {
      Telling telling(registry_, observer_, prepared_[k].events);
      ChangeOutcome& outcome = outcomes[places_[k]];
      if (!tell_(telling)) {
        outcome.error = std::make_exception_ptr(std::runtime_error("the relay ends"));
        return;  // nobody hears of the others any more, either
      }
      outcome.error = telling.error();
      outcome.changes = first_changes(prepared_[k].events);
      if (!outcome.error) continue;
      if (journal_ != nullptr) journal_->take_back(std::span(prepared_).subspan(k));
      again(k + 1, requests, outcomes);
      return;
    }
  }

  void prepare(std::span<const ChangeRequest* const> requests, std::span<ChangeOutcome> outcomes) {
    Draft together(registry_.state());
    for (size_t i = 0; i < requests.size(); ++i) {
      const ChangeRequest& request = *requests[i];
      ChangeOutcome& outcome = outcomes[i];
      outcome = {};
      try {
        auto [events, warnings] = check(request, together);
        outcome.warnings = std::move(warnings);
        outcome.counts = count(events);
        if (request.dry_run) {
          outcome.difference = describe(events);
          continue;
        }
        if (i + 1 < requests.size()) together.enter(events);
        prepared_.push_back({&request, std::move(events)});
        places_.push_back(i);
      } catch (...) {
        outcome.error = std::current_exception();
      }
    }
  }

  CheckedSteps check(const ChangeRequest& request, const Draft& together) const {
    if (!request.make_steps) return check_on(together, request.origin, request.steps, stop_);
    return check_on(together, request.origin, request.make_steps(registry_, stop_), stop_);
  }

  /// Those from `k` on were prepared on a request that has failed since.
  void again(size_t k, std::span<const ChangeRequest* const> requests,
             std::span<ChangeOutcome> outcomes) const {
    if (k == prepared_.size()) return;
    std::vector<const ChangeRequest*> rest;
    for (size_t j = k; j < prepared_.size(); ++j) rest.push_back(requests[places_[j]]);
    std::vector<ChangeOutcome> of_rest(rest.size());
    Passage(registry_, observer_, journal_, tell_, stop_).run(rest, of_rest);
    for (size_t j = k; j < prepared_.size(); ++j) {
      outcomes[places_[j]] = std::move(of_rest[j - k]);
    }
  }

  Registry& registry_;
  ChangeObserver& observer_;
  Journal* const journal_;
  const Tell& tell_;
  const std::stop_token& stop_;
  std::vector<Prepared> prepared_;
  std::vector<size_t> places_;  // of each among the requests
};

}  // namespace

std::vector<ChangeOutcome> pass(Registry& registry, ChangeObserver& observer, Journal* journal,
                                std::span<const ChangeRequest* const> requests, const Tell& tell,
                                const std::stop_token& stop) {
  std::vector<ChangeOutcome> outcomes(requests.size());
  Passage(registry, observer, journal, tell, stop).run(requests, outcomes);
  for (ChangeOutcome& outcome : outcomes) {
    if (!outcome.error) continue;
    outcome.counts = {};
    outcome.changes = {};
    outcome.warnings = {};
  }
  return outcomes;
}

ChangeOutcome pass_at_once(Registry& registry, ChangeObserver& observer, Journal* journal,
                           const ChangeRequest& request) {
  const auto tell = [](Telling& telling) {
    while (!telling.run(Slice(std::chrono::seconds(1)))) std::this_thread::yield();
    return true;
  };
  const ChangeRequest* const requests[] = {&request};
  return std::move(pass(registry, observer, journal, requests, tell).front());
}

}  // namespace wirelay::ctrl
