// A lap, user by user.
#include "ctrl/store/usage.h"

#include <cstring>
#include <functional>
#include <string_view>

#include "ctrl/store/history.h"

namespace wirelay::ctrl {

namespace {

using dataplane::Traffic;

/// So many rows are one transaction: some ten milliseconds for the disk, behind which a change
/// waits.
constexpr size_t kRowsAtOnce = 2000;
/// Users between two looks at the clock.
constexpr size_t kUsersAtOnce = 16;

/// Bytes of plain values, one behind the other.
class Fingerprint {
 public:
  template <typename Value>
  Fingerprint& operator<<(const Value& value) {
    static_assert(std::has_unique_object_representations_v<Value>);
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  [[nodiscard]] uint64_t value() const { return std::hash<std::string_view>{}(text_); }

 private:
  std::string text_;
};

uint64_t fingerprint(const PeerLife& life) {
  Fingerprint print;
  print << life.traffic << life.timestamp << life.handshake_unix_ns;
  if (life.where) {
    for (const auto* end : {&life.where->remote, &life.where->local}) {
      print << end->addr.bytes << end->port;
    }
  }
  return print.value();
}

uint64_t fingerprint(const UserLife& life) {
  return (Fingerprint() << life.past << life.step.begin << life.step.traffic << life.quota.begin
                        << life.quota.used << life.quota.warned << life.first_handshake)
      .value();
}

}  // namespace

Usage::Usage(const Registry& registry, const Publisher& publisher, const Protocol& protocol,
             const dataplane::Sizes& sizes, Store& store, unsigned interval)
    : registry_(registry),
      publisher_(publisher),
      protocol_(protocol),
      store_(store),
      interval_ns_(interval * kNsPerSecond),
      entries_(sizes.users),
      peers_(sizes.peers, fingerprint(PeerLife{})) {}

void Usage::resume_user(uint32_t user, uint64_t id, const UserLife& life, const Traffic& total) {
  entries_[user] = {id, total, life.step, fingerprint(life)};
}

void Usage::resume_peer(uint32_t peer, const PeerLife& life) { peers_[peer] = fingerprint(life); }

bool Usage::due(const Now& now) const {
  return now.ns >= next_ns_ && unwritten_->load(std::memory_order_acquire) == 0;
}

void Usage::begin(const Now& now) {
  next_ns_ = now.ns + interval_ns_;
  now_ = now.unix_ns / kNsPerSecond;
  after_.clear();
}

bool Usage::go_on(const Slice& slice) {
  do {
    const std::vector<UserPtr> users = registry_.users_after(after_, kUsersAtOnce);
    if (users.empty()) {
      hand_over();
      return true;
    }
    if (rows_ == 0) lives_.told = store_.told();
    for (const UserPtr& user : users) read(*user);
    after_ = users.back()->name;
    if (rows_ >= kRowsAtOnce) hand_over();
  } while (!slice.over());
  return false;
}

void Usage::read(const UserSpec& user) {
  const auto number = publisher_.user_number(user.name);
  if (!number) return;
  Traffic total = publisher_.past_traffic(user.name);
  UserLives lives = read_peers(user, total);
  lives.life.past = publisher_.past_traffic(user.name);
  lives.life.quota = publisher_.quotas().state(*number).value_or(QuotaState{});
  lives.life.first_handshake = publisher_.expiries().state(*number).first_handshake;

  Entry& entry = entries_[*number];
  if (entry.id != user.id) entry = {user.id, {}, {}, fingerprint(UserLife{})};
  entry.step.traffic += total - entry.total;
  entry.total = total;
  const bool carried = entry.step.traffic != Traffic{};
  const uint64_t step = step_begin(now_, kHistorySteps.front().seconds);
  if (entry.step.begin == 0) entry.step.begin = step;
  if (entry.step.begin != step) {
    // What came since the last lap is the step's that it began in.
    if (carried) lives.over.push_back(entry.step);
    entry.step = {step, {}};
  } else if (carried) {
    lives.life.step = entry.step;
  }
  const uint64_t print = fingerprint(lives.life);
  if (print == entry.saved && lives.over.empty() && lives.peers.empty()) return;
  entry.saved = print;
  rows_ += 1 + lives.peers.size() + kHistorySteps.size() * lives.over.size();
  lives_.users.push_back(std::move(lives));
}

UserLives Usage::read_peers(const UserSpec& user, Traffic& total) {
  UserLives lives;
  lives.user = user.id;
  for (const std::string& name : registry_.peers_of(user.name)) {
    const auto number = publisher_.peer_number(name);
    const PeerPtr peer = registry_.peer(name);
    if (!number || !peer) continue;
    const PeerLife life = protocol_.life(*number);
    total += life.traffic;
    const uint64_t print = fingerprint(life);
    if (print == peers_[*number]) continue;
    peers_[*number] = print;
    lives.peers.emplace_back(peer->public_key, life);
  }
  return lives;
}

void Usage::hand_over() {
  if (rows_ == 0) return;
  unwritten_->fetch_add(1, std::memory_order_relaxed);
  store_.save(std::exchange(lives_, {}),
              [unwritten = unwritten_] { unwritten->fetch_sub(1, std::memory_order_release); });
  rows_ = 0;
}

}  // namespace wirelay::ctrl
