// Metrics as text: the Prometheus text format 0.0.4 and OpenMetrics 1.0.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wirelay::ctrl::http {

enum class Format : uint8_t { kPrometheus, kOpenMetrics };

/// What a client of HTTP takes that says `accept` (RFC 9110, 12.5.1): OpenMetrics where it rates
/// that above plain text.
Format choose_format(std::string_view accept);
/// The Content-Type.
const char* media_type(Format format) noexcept;

enum class MetricType : uint8_t {
  kCounter,  // its samples' names end in _total
  kGauge,
  kInfo,  // 1, for what its labels say; its samples' names end in _info
  kHistogram,
};

struct Label {
  std::string_view name;
  std::string_view value;  // any text
};
using Labels = std::vector<Label>;

class Exposition {
 public:
  explicit Exposition(Format format) : format_(format) {}

  /// Samples are of this family from now on; the one at hand is not begun again. Each family is
  /// begun once. `name`: without the ending of the type.
  void family(std::string_view name, MetricType type, std::string_view help);
  void sample(const Labels& labels, uint64_t value);
  void sample(const Labels& labels, double value);
  /// One of a histogram. `counts`: by bucket; `bounds`: what those of each are at most, but of the
  /// last, which has no bound. `sum`: of all.
  void histogram(const Labels& labels, std::span<const uint64_t> counts,
                 std::span<const double> bounds, double sum);
  /// A family of one sample.
  template <typename Value>
  void single(std::string_view name, MetricType type, std::string_view help, Value value) {
    family(name, type, help);
    sample({}, value);
  }
  /// All of it; nothing comes behind.
  std::string finish();

 private:
  void begin_sample(const Labels& labels, std::string_view ending);

  const Format format_;
  std::string name_;  // of the family at hand
  MetricType type_{};
  std::string text_;
};

}  // namespace wirelay::ctrl::http
