// From a request of `wg` to steps for the door: peers by key become peers by name.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "ctrl/users/registry.h"
#include "ctrl/wg/request.h"

namespace wirelay::ctrl::wg {

/// What a request is measured by: the relay as `wg` sees it.
struct Device {
  crypto::PublicKey public_key{};
  uint16_t listen_port = 0;
  std::string user;  // whose the peers with unknown keys are
};

/// The steps that make of `registry` what `request` says, as the kernel would: a peer's allowed IPs
/// are taken from whoever has them, who is removed twice is removed. With replace_peers every other
/// peer goes, whosever it is. Throws Refused when the request wants another private key, port or
/// mark. Ends early when `stop` is requested.
std::vector<Step> steps_of(const Registry& registry, const DeviceRequest& request,
                           const Device& device, const std::stop_token& stop = {});

}  // namespace wirelay::ctrl::wg
