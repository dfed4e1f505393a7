// What a relay has to do with its store while it runs: goes on from what it holds, and hands it
// what users carry.
#include <unordered_map>

#include "ctrl/relay.h"

namespace wirelay::ctrl {

void Relay::resume_lives() {
  const Stored& stored = beginning_->stored();
  const Now now = read_clocks();
  if (store_->refusal().empty()) {
    usage_.emplace(registry_, publisher_, protocol_, config_.sizes, *store_,
                   config_.usage_interval);
  }
  struct Sum {
    const UserLife* life;
    dataplane::Traffic past, of_peers;
  };
  std::unordered_map<std::string_view, Sum> sums;  // by the names that users had
  std::unordered_map<uint64_t, Sum*> by_id;
  for (const StoredUser& user : stored.users) {
    Sum& sum = sums[user.spec.name] = {&user.life, user.life.past, {}};
    by_id[user.spec.id] = &sum;
  }
  for (const StoredPeer& before : stored.peers) {
    Sum& sum = sums.at(before.spec.user);
    const PeerPtr peer = registry_.peer(before.spec.public_key);
    const UserPtr user = peer ? registry_.user(peer->user) : nullptr;
    const auto owner = user ? by_id.find(user->id) : by_id.end();
    if (owner == by_id.end() || owner->second != &sum) {  // it is gone, or another user's
      sum.past += before.life.traffic;
      continue;
    }
    const PeerLife life = life_from(before, *peer);
    const uint32_t number = *publisher_.peer_number(peer->name);
    protocol_.resume_peer(number, life, now);
    if (usage_) usage_->resume_peer(number, before.life);
    sum.of_peers += life.traffic;
  }
  for (std::string after;;) {
    constexpr size_t kPage = 1000;
    const std::vector<UserPtr> users = registry_.users_after(after, kPage);
    if (users.empty()) return;
    for (const UserPtr& user : users) {
      const auto found = by_id.find(user->id);
      if (found == by_id.end()) continue;
      Sum& sum = *found->second;
      resume(*user, *sum.life, sum.past);
      sum.of_peers += sum.past;
      if (!usage_) continue;
      usage_->resume_user(*publisher_.user_number(user->name), user->id, *sum.life, sum.of_peers);
    }
    after = users.back()->name;
  }
}

void Relay::resume(const UserSpec& user, const UserLife& life, const dataplane::Traffic& past) {
  const uint32_t number = *publisher_.user_number(user.name);
  publisher_.resume_user(user.name, past);
  publisher_.expiries().restore(number, {life.first_handshake});
  if (life.quota.begin != 0) publisher_.quotas().restore(number, life.quota);
}

void Relay::look(std::function<void(const Database* store)> read) const {
  if (store_) return store_->look(std::move(read));
  read(nullptr);
}

void Relay::back_up(const std::string& file, std::function<void(std::exception_ptr)> done) {
  if (store_) return backup_.begin(file, done);
  done(std::make_exception_ptr(StoreError("the relay keeps nothing: \"store\" is \"none\"")));
}

UsageStep Relay::usage_step(const std::string& user) const {
  const auto number = publisher_.user_number(user);
  return usage_ && number ? usage_->step(*number) : UsageStep{};
}

StoreStatus Relay::store() const {
  return store_ ? StoreStatus{config_.store, store_->refusal()} : StoreStatus{};
}

void Relay::begin_lap(const Now& now) {
  in_lap_ = true;
  usage_->begin(now);
  agenda_.add([this](const Slice& slice) {
    in_lap_ = !usage_->go_on(slice);
    return !in_lap_;
  });
}

void Relay::keep_events() {
  if (!events_to_keep_.empty()) store_->save(std::exchange(events_to_keep_, {}));
}

void Relay::end_usage() {
  if (!usage_) return;
  events_.flush(read_clocks().unix_ns);
  keep_events();
  usage_->begin(read_clocks());
  while (!usage_->go_on(Slice(std::chrono::seconds(1)))) continue;
}

}  // namespace wirelay::ctrl
