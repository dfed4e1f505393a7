// The pages of HTTP: which there are, and what is replied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/http/exposition.h"
#include "ctrl/http/facts.h"
#include "ctrl/http/readiness.h"

namespace wirelay::ctrl::http {

// Status codes (RFC 9110, 15).
inline constexpr int kOk = 200, kNotFound = 404, kBadMethod = 405, kUnavailable = 503;

enum class Page : uint8_t { kMetrics, kHealth, kReady };

std::optional<Page> find_page(std::string_view path);

struct Reply {
  int code = kOk;
  const char* type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> text;  // several may be sent the same
};

Reply plain_reply(int code, std::string text);
Reply ready_reply(const std::vector<std::string>& missing);
/// Whoever asks for what is not there is told what is.
Reply no_such_page();

/// Texts of /metrics for several who asked at once: each made once.
class MetricsReplies {
 public:
  explicit MetricsReplies(const Facts& facts) : facts_(facts) {}
  Reply reply(Format format);

 private:
  const Facts& facts_;
  std::shared_ptr<const std::string> texts_[2];
};

}  // namespace wirelay::ctrl::http
