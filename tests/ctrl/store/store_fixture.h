// A store in a folder of the test, and a registry whose changes it keeps.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctrl/store/store.h"
#include "tests/ctrl/users/registry_specs.h"
#include "tests/support/temp_dir.h"

namespace wirelay::test {

/// Changes pass into `registry` and, where there is one, `store`.
class KeptRegistry {
 public:
  ctrl::Registry registry{{100, 100, 400}};
  RecordingObserver observer;

  /// False when it was refused for want of a disk.
  bool pass(ctrl::Store& store, std::vector<ctrl::Step> steps) {
    ctrl::ChangeRequest request;
    request.what = "test";
    request.steps = std::move(steps);
    const ctrl::ChangeOutcome outcome = ctrl::pass_at_once(registry, observer, &store, request);
    if (!outcome.error) return true;
    try {
      std::rethrow_exception(outcome.error);
    } catch (const ctrl::StoreError&) {
      return false;
    }
  }
};

/// What can be seen of it, in the form of contents().
inline std::string contents(const ctrl::Stored& stored) {
  ctrl::Registry registry({1000, 1000, 4000});
  for (const auto& user : stored.users) {
    registry.enter(ctrl::UserEvent{nullptr, std::make_shared<const ctrl::UserSpec>(user.spec)});
  }
  for (const auto& peer : stored.peers) {
    registry.enter(ctrl::PeerEvent{nullptr, std::make_shared<const ctrl::PeerSpec>(peer.spec)});
  }
  return contents(registry);
}

inline dataplane::Traffic traffic(uint64_t n) { return {n, 10 * n, 2 * n, 20 * n}; }

}  // namespace wirelay::test
