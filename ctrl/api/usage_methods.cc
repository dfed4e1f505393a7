// usage.*: what users carried, over time.
#include <array>
#include <optional>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/base/now.h"
#include "ctrl/store/history.h"

namespace wirelay::ctrl::api {

namespace {

constexpr std::array<std::string_view, kHistorySteps.size()> kStepNames = {"5min", "hour", "day"};

/// Steps that one reply shows.
constexpr uint64_t kMostSteps = 1500;

class UsageOfUser : public Query {
 public:
  UsageOfUser(std::string name, size_t by, uint64_t since, uint64_t until)
      : name_(std::move(name)), by_(by), since_(since), until_(until) {}

  bool collect(const RelayFace& relay, const Slice& slice) override {
    if (!user_.spec) user_.spec = relay.registry().user(name_);
    if (!user_.spec) throw ApiError(kNotFound, "there is no user " + in_quotes(name_));
    if (!sum_.run(relay, user_, slice)) return false;
    step_ = relay.usage_step(name_);
    return true;
  }
  [[nodiscard]] bool reads_store() const override { return true; }
  void read(const Database& store) override {
    steps_ = HistoryRows::read(store, user_.spec->id, seconds(), since_, until_);
    add_step_under_way();
  }

  [[nodiscard]] size_t entries() const override { return 1 + steps_.size() / 10; }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result(Json::objectValue);
    result["name"] = name_;
    result["by"] = std::string(kStepNames[by_]);
    result["step_seconds"] = seconds();
    result["since"] = count(since_);
    result["until"] = count(until_);
    Json::Value& steps = result["steps"] = Json::arrayValue;
    dataplane::Traffic sum;
    for (const UsageStep& step : steps_) {
      Json::Value& entry = steps.append(counters_json(step.traffic, kTrafficCounters));
      entry["begin"] = count(step.begin);
      sum += step.traffic;
    }
    result["sum"] = counters_json(sum, kTrafficCounters);
    result["total"] = counters_json(user_.status.traffic, kTrafficCounters);
    return result;
  }

 private:
  [[nodiscard]] uint32_t seconds() const { return kHistorySteps[by_].seconds; }

  /// The shortest step is in the store when it is over, and then in the longer ones, too.
  void add_step_under_way() {
    const uint64_t begin = step_begin(step_.begin, seconds());
    if (step_.traffic == dataplane::Traffic{} || begin < since_ || begin >= until_) return;
    if (steps_.empty() || steps_.back().begin != begin) steps_.push_back({begin, {}});
    steps_.back().traffic += step_.traffic;
  }

  const std::string name_;
  const size_t by_;
  const uint64_t since_, until_;
  UserView user_;
  UserSum sum_;
  UsageStep step_;
  std::vector<UsageStep> steps_;
};

Begun get_usage(const Json::Value& params) {
  Params fields(params);
  fields->require("name", "the user's name, such as \"alice\"");
  std::string name = fields->text("name").value_or("");
  const size_t by = fields->choice("by", {"5min", "hour", "day"}).value_or(1);
  const uint32_t seconds = kHistorySteps[by].seconds;
  constexpr uint64_t kDefaultSteps = 24;
  const uint64_t until = fields->number("until", 0, UINT32_MAX).value_or(unix_seconds() + 1);
  const uint64_t first = step_begin(until, seconds) - (kDefaultSteps - 1) * seconds;
  uint64_t since = fields->number("since", 0, UINT32_MAX).value_or(first);
  since = step_begin(since, seconds);  // whole steps
  if (since < until && (until - since) / seconds > kMostSteps) {
    fields->problem("since", "lies more than " + std::to_string(kMostSteps) +
                                 " steps before \"until\"; ask for longer steps, or in pieces");
  }
  fields.finish();
  return std::make_shared<UsageOfUser>(std::move(name), by, since, until);
}

constexpr std::array kUsageMethods = {
    Method{"usage.get", get_usage,
           R"({"name": NAME, "by": "5min"|"hour"|"day", "since": SECONDS, "until": SECONDS})",
           "what a user carried, step by step; moments in Unix seconds"},
};

}  // namespace

std::span<const Method> usage_methods() { return kUsageMethods; }

}  // namespace wirelay::ctrl::api
