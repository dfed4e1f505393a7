// Building blocks of the registry's tests.
#include "tests/ctrl/users/registry_specs.h"

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
  step.change.allowed_ips.emplace();
  for (const auto& text : allowed) step.change.allowed_ips->push_back(prefix(text));
  return step;
}

std::string contents(const Registry& registry) {
  std::string text;
  for (const UserSpec* u : registry.users_after("", 1000)) {
    text += u->name + '/' + std::to_string(u->limits.up.bits_per_second) + '/' +
            std::to_string(u->max_peers) + (u->enabled ? "" : " disabled") + " [";
    for (const auto& name : registry.peers_of(u->name)) text += name + ' ';
    text += "]\n";
  }
  for (const PeerSpec* p : registry.peers_after("", 1000)) {
    text += p->name + " of " + p->user + ' ' + crypto::to_base64(p->public_key);
    for (const auto& allowed : p->allowed_ips) text += ' ' + to_string(allowed);
    text += registry.peer_by_key(p->public_key) == p ? "\n" : " WRONG KEY INDEX\n";
  }
  return text;
}

}  // namespace wirelay::test
