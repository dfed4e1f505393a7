// Calls that the tests of the API make, and what comes back.
#pragma once

#include <string>
#include <vector>

#include "tests/support/api_lab.h"

namespace wirelay::ctrl::api {

using test::ApiLab;
using test::RawClient;

inline const std::string kStatus = R"({"jsonrpc":"2.0","method":"status.get","id":1})"
                                   "\n";

inline const std::string kReload = R"({"jsonrpc":"2.0","method":"config.reload","id":2})"
                                   "\n";

inline bool is_result(const std::string& line) {
  return line.find("\"result\"") != std::string::npos;
}
inline bool is_error(const std::string& line, int code) {
  return line.find("\"code\":" + std::to_string(code)) != std::string::npos;
}

inline bool served(RawClient& client) {
  client.send_all(kStatus);
  return is_result(client.await_line());
}

inline void add_users(ApiLab& lab, int n) {
  std::vector<Step> steps;
  for (int i = 0; i < n; ++i) {
    UserSpec user;
    user.name = "user" + std::to_string(i);
    steps.push_back({AddUser{user}, ""});
  }
  lab.relay.apply(std::move(steps));
}

}  // namespace wirelay::ctrl::api
