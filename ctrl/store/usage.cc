// A lap, user by user.
#include "ctrl/store/usage.h"

#include <cstring>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

#include "ctrl/store/history.h"

namespace wirelay::ctrl {

namespace {

using dataplane::Traffic;

/// So many rows are one transaction: some ten milliseconds for the disk, behind which a change
/// waits.
constexpr size_t kRowsAtOnce = 2000;
/// Peers between two looks at the clock.
constexpr size_t kPeersAtOnce = 64;

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

bool is_behind(const Traffic& a, const Traffic& b) {
  return a.rx_packets < b.rx_packets || a.rx_bytes < b.rx_bytes || a.tx_packets < b.tx_packets ||
         a.tx_bytes < b.tx_bytes;
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
  reading_ = {};
}

bool Usage::go_on(const Slice& slice) {
  do {
    if (!reading_.user && !begin_user()) {
      hand_over();
      return true;
    }
    if (read_peers()) end_user();
    if (rows_ >= kRowsAtOnce) hand_over();
  } while (!slice.over());
  return false;
}

bool Usage::begin_user() {
  const std::vector<UserPtr> next = registry_.users_after(after_, 1);
  if (next.empty()) return false;
  after_ = next.front()->name;
  if (rows_ == 0) lives_.told = store_.told();
  reading_ = {next.front(), publisher_.past_traffic(after_), {}, {}, {}};
  reading_.total = reading_.past;
  reading_.lives.user = next.front()->id;
  return true;
}

bool Usage::read_peers() {
  const std::set<std::string>& names = registry_.peers_of(reading_.user->name);
  auto next = names.upper_bound(reading_.after);
  for (size_t left = kPeersAtOnce; next != names.end() && left != 0; ++next, --left) {
    reading_.after = *next;
    const auto number = publisher_.peer_number(*next);
    const PeerPtr peer = registry_.peer(*next);
    if (!number || !peer) continue;
    const PeerLife life = protocol_.life(*number);
    reading_.total += life.traffic;
    const uint64_t print = fingerprint(life);
    if (print == peers_[*number]) continue;
    peers_[*number] = print;
    reading_.lives.peers.emplace_back(peer->public_key, life);
  }
  return next == names.end();
}

void Usage::end_user() {
  Reading reading = std::exchange(reading_, {});
  const UserSpec& user = *reading.user;
  const auto number = publisher_.user_number(user.name);
  if (!number) return;  // it went meanwhile
  UserLives& lives = reading.lives;
  lives.life.past = reading.past;
  lives.life.quota = publisher_.quotas().state(*number).value_or(QuotaState{});
  lives.life.first_handshake = publisher_.expiries().state(*number).first_handshake;

  Entry& entry = entries_[*number];
  if (entry.id != user.id) entry = {user.id, {}, {}, fingerprint(UserLife{})};
  // A removal that was undone brings the user back without what it had carried.
  if (is_behind(reading.total, entry.total)) entry.total = reading.total;
  entry.step.traffic += reading.total - entry.total;
  entry.total = reading.total;
  end_step(entry, lives);
  const uint64_t print = fingerprint(lives.life);
  if (print == entry.saved && lives.over.empty() && lives.peers.empty()) return;
  entry.saved = print;
  rows_ += 1 + lives.peers.size() + kHistorySteps.size() * lives.over.size();
  lives_.users.push_back(std::move(lives));
}

void Usage::end_step(Entry& entry, UserLives& lives) const {
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
}

void Usage::hand_over() {
  if (rows_ == 0) return;
  unwritten_->fetch_add(1, std::memory_order_relaxed);
  store_.save(std::exchange(lives_, {}),
              [unwritten = unwritten_] { unwritten->fetch_sub(1, std::memory_order_release); });
  rows_ = 0;
}

}  // namespace wirelay::ctrl
