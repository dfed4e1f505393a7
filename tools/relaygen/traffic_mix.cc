// Drawing sizes and clients.
#include "tools/relaygen/traffic_mix.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

constexpr std::string_view kImix = "64:7+576:4+1420:1";

unsigned parse_part(std::string_view text, std::string_view all) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) {
    throw UsageError("--size: \"" + std::string(all) +
                     "\" is no size; expected bytes such as 64, imix, or 64:7+576:4+1420:1");
  }
  return value;
}

}  // namespace

SizeMix SizeMix::parse(std::string_view text) {
  SizeMix mix;
  mix.name_ = text;
  std::string_view rest = text == "imix" ? kImix : text;
  double weights = 0;
  while (true) {
    const size_t plus = rest.find('+');
    const std::string_view item = rest.substr(0, plus);
    const size_t colon = item.find(':');
    const unsigned bytes = parse_part(item.substr(0, colon), text);
    const unsigned weight = colon == item.npos ? 1 : parse_part(item.substr(colon + 1), text);
    if (bytes < kMinSize || bytes > kMaxSize) {
      throw UsageError("--size: " + std::to_string(bytes) +
                       " bytes are out of range; expected 64 to 9000");
    }
    mix.parts_.push_back({static_cast<uint16_t>(bytes), static_cast<double>(weight)});
    weights += weight;
    if (plus == rest.npos) break;
    rest.remove_prefix(plus + 1);
  }
  for (Part& part : mix.parts_) part.share /= weights;
  return mix;
}

uint16_t SizeMix::draw(Random& random) const noexcept {
  if (parts_.size() == 1) return parts_.front().bytes;
  double at = random.unit();
  for (const Part& part : parts_) {
    if (at < part.share) return part.bytes;
    at -= part.share;
  }
  return parts_.back().bytes;
}

double SizeMix::mean() const noexcept {
  double sum = 0;
  for (const Part& part : parts_) sum += part.bytes * part.share;
  return sum;
}

uint16_t SizeMix::largest() const noexcept {
  return std::ranges::max_element(parts_, {}, &Part::bytes)->bytes;
}

Spread::Spread(Kind kind, uint32_t count, double exponent) : kind_(kind), count_(count) {
  if (kind != Kind::kZipf) return;
  double sum = 0;
  for (uint32_t k = 0; k < count; ++k) {
    sum += std::pow(k + 1, -exponent);
    cumulative_.push_back(sum);
  }
  for (double& c : cumulative_) c /= sum;
}

Spread::Kind Spread::parse(std::string_view text) {
  if (text == "round-robin") return Kind::kRoundRobin;
  if (text == "uniform") return Kind::kUniform;
  if (text == "zipf") return Kind::kZipf;
  throw UsageError("--spread: \"" + std::string(text) +
                   "\" is unknown; expected round-robin, uniform or zipf");
}

uint32_t Spread::draw(Random& random) noexcept {
  if (kind_ == Kind::kUniform) return random.below(count_);
  if (kind_ == Kind::kZipf) {
    const auto at = std::ranges::upper_bound(cumulative_, random.unit());
    return static_cast<uint32_t>(std::min<size_t>(at - cumulative_.begin(), count_ - 1));
  }
  const uint32_t drawn = next_;
  next_ = next_ + 1 == count_ ? 0 : next_ + 1;
  return drawn;
}

}  // namespace wirelay::relaygen
