// Paths and texts.
#include "ctrl/http/page.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ctrl/http/metrics.h"

namespace wirelay::ctrl::http {

namespace {

constexpr std::array kPages = {
    std::pair{std::string_view("/metrics"), Page::kMetrics},
    std::pair{std::string_view("/health"), Page::kHealth},
    std::pair{std::string_view("/ready"), Page::kReady},
};

}  // namespace

std::optional<Page> find_page(std::string_view path) {
  const auto* found = std::ranges::find(kPages, path, &decltype(kPages)::value_type::first);
  return found == kPages.end() ? std::nullopt : std::optional(found->second);
}

Reply plain_reply(int code, std::string text) {
  Reply reply;
  reply.code = code;
  reply.text = std::make_shared<const std::string>(std::move(text));
  return reply;
}

Reply ready_reply(const std::vector<std::string>& missing) {
  Reply reply = plain_reply(missing.empty() ? kOk : kUnavailable, ready_text(missing));
  reply.type = "application/json";
  return reply;
}

Reply no_such_page() {
  std::string text = "there is nothing here; there are:\n";
  for (const auto& [path, page] : kPages) text.append(path) += '\n';
  return plain_reply(kNotFound, std::move(text));
}

Reply MetricsReplies::reply(Format format) {
  auto& text = texts_[static_cast<size_t>(format)];
  if (!text) text = std::make_shared<const std::string>(metrics_text(facts_, format));
  return {kOk, media_type(format), text};
}

}  // namespace wirelay::ctrl::http
