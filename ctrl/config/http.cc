// The "http" section.
#include <algorithm>

#include <fmt/format.h>

#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

constexpr size_t kMostPatterns = 100, kMostSeries = 100'000;

void read_listen_address(ObjectReader& reader, HttpConfig& http) {
  const auto text = reader.text("listen");
  if (!text) return;
  http.listen = dataplane::parse_endpoint(*text);
  if (*text == "none" || (http.listen && http.listen->port != 0)) return;
  reader.problem("listen", fmt::format("found {}, expected an address and a port such as "
                                       "\"127.0.0.1:9586\" or \"[::1]:9586\", or \"none\"",
                                       in_quotes(*text)));
}

bool is_pattern(std::string_view text) {
  return !text.empty() && text.find('*') >= text.size() - 1;
}

void read_patterns(ObjectReader& reader, HttpConfig& http) {
  http.series_for = reader.texts("series_for");
  if (http.series_for.size() > kMostPatterns) {
    reader.problem("series_for", fmt::format("found {} names, expected at most {}",
                                             http.series_for.size(), kMostPatterns));
  }
  for (size_t i = 0; i < http.series_for.size() && !reader.enough(); ++i) {
    if (is_pattern(http.series_for[i])) continue;
    reader.problem(fmt::format("series_for[{}]", i),
                   fmt::format("found {}, expected the name of a user, or the beginning of names "
                               "such as \"staff-*\"",
                               in_quotes(http.series_for[i])));
  }
}

}  // namespace

void read_http(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  const Json::Value* value = root.object("http");
  if (value == nullptr) return;
  ObjectReader reader(*value, "http", problems);
  read_listen_address(reader, config.http);
  read_patterns(reader, config.http);
  if (const auto most = reader.number("series_limit", 1, kMostSeries)) {
    config.http.series_limit = *most;
  }
  reader.finish();
}

}  // namespace wirelay::ctrl
