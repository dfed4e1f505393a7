// relayctl usage and backup: what users carried over time, and a copy of what the relay keeps.
#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <filesystem>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/fields.h"
#include "cli/errors.h"
#include "cli/format.h"

namespace wirelay::cli {

namespace {

constexpr uint64_t kMinute = 60, kHour = 3600, kDay = 86400;

void describe_usage(po::options_description_easy_init add) {
  add("by", po::value<std::string>()->value_name("STEP"),
      "5min (kept for 2 days), hour (60 days; when not said) or day (2 years)");
  add("since", po::value<std::string>()->value_name("WHEN"),
      "90m, 36h or 7d ago, or a day: 2026-11-01; otherwise 24 steps");
  add("csv", "print the steps as CSV, for spreadsheets");
}

uint64_t unix_now() { return static_cast<uint64_t>(std::time(nullptr)); }

/// "2026-11-01", the begin of that day in UTC.
std::optional<uint64_t> parse_day(const std::string& text) {
  std::tm day{};
  const char* end = strptime(text.c_str(), "%Y-%m-%d", &day);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<uint64_t>(timegm(&day));
}

uint64_t read_since(const std::string& text) {
  if (const auto day = parse_day(text)) return *day;
  const size_t digits = text.find_first_not_of("0123456789");
  const std::string unit = digits == std::string::npos ? "" : text.substr(digits);
  const uint64_t seconds = unit == "m" ? kMinute : unit == "h" ? kHour : unit == "d" ? kDay : 0;
  constexpr size_t kMostDigits = 6;
  if (digits == 0 || digits > kMostDigits || seconds == 0) {
    throw UsageError("--since: found \"" + text +
                     "\", expected 90m, 36h, 7d, or a day such as 2026-11-01");
  }
  const uint64_t ago = std::stoull(text.substr(0, digits)) * seconds;
  return unix_now() > ago ? unix_now() - ago : 0;
}

/// "2026-11-28 21:05" in UTC; of a day only the date.
std::string moment_text(uint64_t unix_seconds, uint64_t step) {
  const auto moment = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&moment, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), step >= kDay ? "%Y-%m-%d" : "%Y-%m-%d %H:%M", &parts);
  return text.data();
}

struct Step {
  uint64_t begin = 0, up = 0, down = 0;
  [[nodiscard]] uint64_t both() const { return up + down; }
};

/// All steps from the first in which anything was carried, those without among them.
std::vector<Step> steps_of(const Json::Value& usage) {
  const uint64_t seconds = usage["step_seconds"].asUInt64();
  std::vector<Step> steps;
  for (const Json::Value& entry : usage["steps"]) {
    const uint64_t begin = entry["begin"].asUInt64();
    while (!steps.empty() && steps.back().begin + seconds < begin) {
      steps.push_back({steps.back().begin + seconds});
    }
    steps.push_back({begin, entry["rx_bytes"].asUInt64(), entry["tx_bytes"].asUInt64()});
  }
  return steps;
}

void print_csv(Call& call, const Json::Value& usage) {
  call.out << "begin,rx_packets,rx_bytes,tx_packets,tx_bytes\n";
  for (const Json::Value& step : usage["steps"]) {
    const auto begin = static_cast<std::time_t>(step["begin"].asUInt64());
    std::tm parts{};
    gmtime_r(&begin, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    call.out << text.data();
    for (const char* count : {"rx_packets", "rx_bytes", "tx_packets", "tx_bytes"}) {
      call.out << ',' << step[count].asUInt64();
    }
    call.out << '\n';
  }
}

/// A bar of `#` for what went up and `=` for what came down; the longest step's is whole.
std::string bar(const Step& step, uint64_t most) {
  constexpr double kWidth = 36;
  const auto marks = [&](uint64_t bytes) {
    const double part = kWidth * static_cast<double>(bytes) / static_cast<double>(most);
    return static_cast<size_t>(std::lround(part));
  };
  const size_t up = marks(step.up), both = marks(step.both());
  return std::string(up, '#') + std::string(both - std::min(up, both), '=');
}

void print_plot(Call& call, const Json::Value& usage) {
  const uint64_t seconds = usage["step_seconds"].asUInt64();
  const std::vector<Step> steps = steps_of(usage);
  uint64_t most = 1;
  for (const Step& step : steps) most = std::max(most, step.both());
  Table table({"BEGIN (UTC)", ">UP", ">DOWN", "# up  = down"});
  for (const Step& step : steps) {
    table.add({moment_text(step.begin, seconds), bytes_text(step.up), bytes_text(step.down),
               bar(step, most)});
  }
  if (!steps.empty()) table.print(call.out);
  const auto sum_text = [](const Json::Value& sum) {
    return bytes_text(sum["rx_bytes"].asUInt64()) + " up, " +
           bytes_text(sum["tx_bytes"].asUInt64()) + " down";
  };
  call.out << "since " << moment_text(usage["since"].asUInt64(), kHour) << ": "
           << sum_text(usage["sum"]) << "; in all: " << sum_text(usage["total"]) << '\n';
}

void show_usage(Call& call) {
  if (call.json() && call.has("csv")) throw UsageError("give --json or --csv, not both");
  Json::Value params(Json::objectValue);
  params["name"] = call.argument();
  if (const auto by = call.text("by")) params["by"] = *by;
  if (const auto since = call.text("since")) params["since"] = Json::UInt64{read_since(*since)};
  const Json::Value usage = call.relay.call("usage.get", params);
  if (printed_json(call, usage)) return;
  call.has("csv") ? print_csv(call, usage) : print_plot(call, usage);
}

/// The relay writes it: from the root, whatever directory the relay runs in.
void back_up(Call& call) {
  Json::Value params(Json::objectValue);
  params["file"] = std::filesystem::absolute(call.argument()).lexically_normal().string();
  const Json::Value result = call.relay.call("store.backup", params);
  if (!printed_json(call, result)) {
    call.err << "wrote a copy of the store to " << printable(result["file"].asString()) << '\n';
  }
}

constexpr std::array kUsageCommands = {
    Command{"usage", "NAME", 1, 1, "what a user carried, step by step, with a plot",
            "relayctl usage alice                      # the last 24 hours\n"
            "relayctl usage alice --by day --since 30d\n"
            "relayctl usage alice --by 5min --csv > alice.csv",
            describe_usage, show_usage},
    Command{"backup", "FILE", 1, 1, "write a copy of the relay's store to a new file",
            "relayctl backup /var/backups/relay-2026-11-28.db", nullptr, back_up},
};

}  // namespace

std::span<const Command> usage_commands() { return kUsageCommands; }

}  // namespace wirelay::cli
