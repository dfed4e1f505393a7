// Users, peers and steps in few words, for the tests of the registry.
#pragma once

#include <string>
#include <vector>

#include "ctrl/users/passage.h"
#include "ctrl/users/registry.h"
#include "tests/support/fake_relay.h"

namespace wirelay::test {

dataplane::Prefix prefix(const std::string& text);
ctrl::UserSpec user(const std::string& name);
ctrl::PeerSpec peer(const std::string& name, const std::string& owner, uint32_t key,
                    const std::vector<std::string>& allowed);
ctrl::SetPeer set_allowed(const std::string& name, const std::vector<std::string>& allowed);

template <typename Edit>
ctrl::SetUser set_user(const std::string& name, Edit edit) {
  ctrl::SetUser step;
  step.change.name = name;
  edit(step.change);
  return step;
}

/// Takes the steps through as one request of `origin`, at once; throws Refused.
void pass(ctrl::Registry& registry, ctrl::ChangeObserver& observer, std::vector<ctrl::Step> steps,
          ctrl::Origin origin = ctrl::Origin::kApi);

/// Everything that can be seen of a registry, as text.
std::string contents(const ctrl::Registry& registry);

}  // namespace wirelay::test
