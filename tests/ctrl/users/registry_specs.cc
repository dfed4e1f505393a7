// Building blocks of the registry's tests.
#include "tests/ctrl/users/registry_specs.h"

#include "ctrl/users/registry_state.h"

namespace wirelay::test {

using namespace ctrl;

dataplane::Prefix prefix(const std::string& text) { return *dataplane::parse_prefix(text); }

UserSpec user(const std::string& name) {
  UserSpec spec;
  spec.name = name;
  return spec;
}

PeerSpec peer(const std::string& name, const std::string& owner, uint32_t key,
              const std::vector<std::string>& allowed) {
  PeerSpec spec;
  spec.name = name;
  spec.user = owner;
  spec.public_key = test_key(key);
  for (const auto& text : allowed) spec.allowed_ips.push_back(prefix(text));
  return spec;
}

SetPeer set_allowed(const std::string& name, const std::vector<std::string>& allowed) {
  SetPeer step;
  step.change.name = name;
  std::vector<dataplane::Prefix> prefixes;
  for (const auto& text : allowed) prefixes.push_back(prefix(text));
  step.change.set<PeerField::kAllowedIps>(std::move(prefixes));
  return step;
}

void pass(Registry& registry, ChangeObserver& observer, std::vector<Step> steps, Origin origin) {
  ChangeRequest request;
  request.origin = origin;
  request.steps = std::move(steps);
  const ChangeOutcome outcome = pass_at_once(registry, observer, nullptr, request);
  if (outcome.error) std::rethrow_exception(outcome.error);
}

std::string contents(const Registry& registry) {
  std::string text;
  for (const UserPtr& u : registry.users_after("", 1000)) {
    text += u->name + '/' + std::to_string(u->limits().up.bits_per_second) + '/' +
            std::to_string(u->max_peers()) + (u->enabled() ? "" : " disabled") + " [";
    for (const auto& name : registry.peers_of(u->name)) text += name + ' ';
    text += "]\n";
  }
  for (const PeerPtr& p : registry.peers_after("", 1000)) {
    text += p->name + " of " + p->user + ' ' + crypto::to_base64(p->public_key);
    for (const auto& allowed : p->allowed_ips) text += ' ' + to_string(allowed);
    text += registry.state().by_key.at(p->public_key) == p ? "\n" : " WRONG KEY INDEX\n";
  }
  return text;
}

}  // namespace wirelay::test
