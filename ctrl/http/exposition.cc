// Which format, and how each is written.
#include "ctrl/http/exposition.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace wirelay::ctrl::http {

namespace {

constexpr std::string_view kOpenMetricsType = "application/openmetrics-text";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// What is in front of `end`, which is taken away with it.
std::string_view take_part(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view part = trimmed(text.substr(0, at));
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

/// Thousandths: "0.5" is 500. What is no weight counts as none.
unsigned weight_of(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  unsigned weight = text[0] == '1' ? 1000 : 0;
  if (text.size() > 1 && text[1] != '.') return 0;
  for (size_t i = 2, place = 100; i < text.size() && place > 0; ++i, place /= 10) {
    if (text[i] < '0' || text[i] > '9') return 0;
    weight += static_cast<unsigned>(text[i] - '0') * static_cast<unsigned>(place);
  }
  return std::min(weight, 1000u);
}

void escape(std::string& to, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      to += "\\\\";
    } else if (c == '\n') {
      to += "\\n";
    } else if (c == '"' && quotes) {
      to += "\\\"";
    } else {
      to += c;
    }
  }
}

std::string_view ending_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "_total";
    case MetricType::kInfo:
      return "_info";
    case MetricType::kGauge:
    case MetricType::kHistogram:
      break;
  }
  return "";
}

/// Prometheus's text knows no infos.
std::string_view word_of(MetricType type, Format format) {
  if (type == MetricType::kCounter) return "counter";
  if (type == MetricType::kHistogram) return "histogram";
  return type == MetricType::kInfo && format == Format::kOpenMetrics ? "info" : "gauge";
}

}  // namespace

Format choose_format(std::string_view accept) {
  unsigned open_metrics = 0, others = 0;
  while (!accept.empty()) {
    std::string_view range = take_part(accept, ',');
    const std::string_view type = take_part(range, ';');
    unsigned weight = 1000;
    while (!range.empty()) {
      const std::string_view parameter = take_part(range, ';');
      if (parameter.starts_with("q=")) weight = weight_of(parameter.substr(2));
    }
    unsigned& best = type == kOpenMetricsType ? open_metrics : others;
    best = std::max(best, weight);
  }
  return open_metrics > others ? Format::kOpenMetrics : Format::kPrometheus;
}

const char* media_type(Format format) noexcept {
  return format == Format::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

/// In Prometheus's text a family is called as its samples are.
void Exposition::family(std::string_view name, MetricType type, std::string_view help) {
  if (name == name_) return;
  name_ = name;
  type_ = type;
  const std::string_view ending = format_ == Format::kPrometheus ? ending_of(type) : "";
  fmt::format_to(std::back_inserter(text_), "# HELP {}{} ", name, ending);
  escape(text_, help, format_ == Format::kOpenMetrics);
  fmt::format_to(std::back_inserter(text_), "\n# TYPE {}{} {}\n", name, ending,
                 word_of(type, format_));
}

void Exposition::begin_sample(const Labels& labels, std::string_view ending) {
  text_ += name_;
  text_ += ending;
  if (labels.empty()) return;
  char before = '{';
  for (const Label& label : labels) {
    text_ += before;
    text_ += label.name;
    text_ += "=\"";
    escape(text_, label.value, true);
    text_ += '"';
    before = ',';
  }
  text_ += '}';
}

void Exposition::sample(const Labels& labels, uint64_t value) {
  begin_sample(labels, ending_of(type_));
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

void Exposition::sample(const Labels& labels, double value) {
  begin_sample(labels, ending_of(type_));
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

void Exposition::histogram(const Labels& labels, std::span<const uint64_t> counts,
                           std::span<const double> bounds, double sum) {
  uint64_t count = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    count += counts[i];
    const std::string bound =
        i + 1 < counts.size() ? fmt::format("{}", bounds[i]) : std::string("+Inf");
    Labels with_bound = labels;
    with_bound.push_back({"le", bound});
    begin_sample(with_bound, "_bucket");
    fmt::format_to(std::back_inserter(text_), " {}\n", count);
  }
  begin_sample(labels, "_sum");
  fmt::format_to(std::back_inserter(text_), " {}\n", sum);
  begin_sample(labels, "_count");
  fmt::format_to(std::back_inserter(text_), " {}\n", count);
}

std::string Exposition::finish() {
  if (format_ == Format::kOpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace wirelay::ctrl::http
