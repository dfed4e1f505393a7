// The configuration of a client, as wg-quick(8) reads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <json/value.h>

namespace wirelay::cli {

/// What the operator says; the relay's own values stand in where nothing is said.
struct ClientFileOptions {
  std::optional<std::string> private_key;  // base64
  std::optional<std::string> endpoint;     // host:port
  std::vector<std::string> allowed_ips;    // empty: all, of the families that it has addresses of
  std::vector<std::string> dns;
  std::optional<std::string> keepalive;  // seconds
};

/// `config`: the result of peer.config; what it lacks of "relay" stands there as a comment.
std::string client_file(const Json::Value& config, const ClientFileOptions& options);

}  // namespace wirelay::cli
