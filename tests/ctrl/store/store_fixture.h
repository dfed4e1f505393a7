// A store in a folder of the test, and a registry whose changes it keeps.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

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

/// A store in a folder of the test, with alice and her devices where the test wants them.
class StoreFixture : public CppUnit::TestFixture {
 protected:
  const TempDir dir_;
  const std::string file_ = dir_.path("relay.db");
  KeptRegistry kept_;

  [[nodiscard]] ctrl::Stored stored() const { return ctrl::read_store(file_); }
  void with_alice(ctrl::Store& store) {
    CPPUNIT_ASSERT(
        kept_.pass(store, {{ctrl::AddUser{user("alice")}, ""},
                           {ctrl::AddPeer{peer("phone", "alice", 1, {"10.0.0.1/32"})}, ""},
                           {ctrl::AddPeer{peer("pad", "alice", 2, {"10.0.0.2/32"})}, ""}}));
  }
  static ctrl::Lives lives_of(uint64_t user, uint32_t key, uint64_t n, uint64_t told) {
    ctrl::Lives lives;
    lives.told = told;
    ctrl::UserLives& of = lives.users.emplace_back();
    of.user = user;
    ctrl::PeerLife life;
    life.traffic = traffic(n);
    of.peers.emplace_back(test_key(key), life);
    return lives;
  }
  /// Waits until it is written.
  static void save(ctrl::Store& store, ctrl::Lives lives) {
    std::promise<void> written;
    store.save(std::move(lives), [&] { written.set_value(); });
    written.get_future().wait();
  }
  void execute(const std::string& sql) const {
    ctrl::Database(file_, ctrl::Database::Access::kWrite).execute(sql);
  }
};

}  // namespace wirelay::test
