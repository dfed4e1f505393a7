// Load, cookies and the limit of each source.
#include "ctrl/protocol/load_guard.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <sodium.h>

#include "crypto/noise.h"

namespace wirelay::ctrl {

namespace {

/// Of each source.
constexpr uint64_t kIntervalNs = kNsPerSecond / 20;
constexpr uint64_t kBurstNs = 4 * kIntervalNs;  // five at once: this far ahead, and one more

/// Handshakes may take one part of these of the control thread's time.
constexpr uint64_t kPartOfTime = 2;

/// What a handshake costs the control thread besides the arithmetic: tables, messages, events.
constexpr uint64_t kAroundNs = 5'000;

/// Cookie replies: some microseconds of the control thread each, and a transmit ring of the worker
/// that live sessions need. A worker hands up 25,600 initiations a second: whoever asks among so
/// many gets a cookie at once, for the next time that he asks is 5 s later.
constexpr uint64_t kReplies = 32'000;
constexpr uint64_t kRepliesAtOnce = 512;
constexpr uint64_t kRepliesOfWorker = 25'600;
constexpr uint64_t kRepliesOfWorkerAtOnce = 256;

}  // namespace

Allowance::Allowance(uint64_t per_second, uint64_t at_once) noexcept
    : interval_ns_(kNsPerSecond / per_second), burst_ns_((at_once - 1) * interval_ns_) {}

bool Allowance::take(uint64_t now_ns) noexcept {
  if (arrival_ns_ > now_ns + burst_ns_) return false;
  arrival_ns_ = std::max(arrival_ns_, now_ns) + interval_ns_;
  return true;
}

unsigned Allowance::left(uint64_t now_ns) const noexcept {
  const uint64_t used = arrival_ns_ > now_ns ? arrival_ns_ - now_ns : 0;
  return used > burst_ns_ ? 0 : static_cast<unsigned>((burst_ns_ - used) * 255 / burst_ns_ + 1);
}

SourceLimiter::SourceLimiter() : sets_(kSets) { crypto::random_bytes(seed_); }

bool SourceLimiter::allow(const dataplane::IpAddr& source, uint64_t now_ns) noexcept {
  static_assert(sizeof(seed_) == crypto_shorthash_KEYBYTES);
  uint64_t hash;
  const size_t significant = source.is_v4() ? source.bytes.size() : 8;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), source.bytes.data(), significant,
                   seed_.data());
  Set& set = sets_[hash & (kSets - 1)];
  auto entry = std::ranges::find(set, hash, &Entry::source);
  if (entry == set.end()) {
    entry = std::ranges::min_element(set, {}, &Entry::arrival_ns);
    *entry = {hash, 0};
  }
  if (entry->arrival_ns > now_ns + kBurstNs) return false;
  entry->arrival_ns = std::max(entry->arrival_ns, now_ns) + kIntervalNs;
  return true;
}

namespace {

/// A client and what it sends us, again and again.
struct Sample {
  crypto::Identity ours = crypto::make_identity(crypto::generate_private_key());
  crypto::Identity theirs = crypto::make_identity(crypto::generate_private_key());
  crypto::RemoteIdentity of_theirs{theirs.public_key, {}, {}}, of_ours{ours.public_key, {}, {}};
  crypto::MessageInitiation initiation{};
  std::vector<crypto::InitiationToOpen> opening;

  Sample() : opening(crypto::kHandshakesAtOnce, {&ours, &initiation, {}}) {
    std::array<crypto::RemoteOfBurst, 2> remotes = {crypto::RemoteOfBurst{&ours, &of_theirs},
                                                    crypto::RemoteOfBurst{&theirs, &of_ours}};
    crypto::make_remotes(remotes);
    crypto::HandshakeState state;
    (void)crypto::create_initiation(theirs, of_ours, 1, {}, initiation, state);
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  void open() {
    crypto::open_initiations(opening);
    std::vector<crypto::InitiationToAuthenticate> proofs;
    for (auto& each : opening) {
      proofs.push_back({&each.opened.value(), &of_theirs, &initiation, {}});
    }
    crypto::authenticate_initiations(proofs);
  }
  void answer() {
    std::vector<crypto::MessageResponse> responses(opening.size());
    std::vector<crypto::ResponseToCreate> answers;
    for (size_t i = 0; i < opening.size(); ++i) {
      answers.push_back({&opening[i].opened->state, &of_theirs, 2, &responses[i], {}});
    }
    crypto::create_responses(answers);
  }
};

}  // namespace

/// Of several bursts the shortest counts: the others were interrupted.
HandshakeCost measure_handshake() {
  using Clock = std::chrono::steady_clock;
  constexpr int kTries = 5;
  Sample sample;
  auto opening = Clock::duration::max(), answering = Clock::duration::max();
  for (int i = 0; i < kTries; ++i) {
    const auto start = Clock::now();
    sample.open();
    const auto opened = Clock::now();
    sample.answer();
    opening = std::min(opening, opened - start);
    answering = std::min(answering, Clock::now() - opened);
  }
  const auto of_one = [](Clock::duration burst) {
    const std::chrono::nanoseconds ns = burst;
    return static_cast<uint64_t>(ns.count()) / crypto::kHandshakesAtOnce;
  };
  return {of_one(opening) + kAroundNs, of_one(answering)};
}

uint64_t HandshakeCost::of_control(unsigned threads) const noexcept {
  if (threads == 0) return opening_ns + answering_ns;
  // The control thread gives handshakes a part of its time, these all of theirs.
  return std::max(opening_ns, answering_ns / threads / kPartOfTime);
}

void LoadGuard::note_load(const Now& now) noexcept { loaded_until_ns_ = now.ns + kNsPerSecond; }

LoadGuard::LoadGuard(const crypto::PublicKey& self, uint32_t workers, uint64_t handshake_ns)
    : jar_(self),
      handshakes_(kNsPerSecond / kPartOfTime / handshake_ns,
                  std::max<uint64_t>(kNsPerSecond / kPartOfTime / 2 / handshake_ns, 2)),
      replies_(kReplies, kRepliesAtOnce),
      replies_of_worker_(workers, Allowance(kRepliesOfWorker, kRepliesOfWorkerAtOnce)) {}

LoadGuard::Verdict LoadGuard::judge(const Datagram& datagram, const Now& now) noexcept {
  constexpr unsigned kPlenty = 128;  // half
  const unsigned left = handshakes_.left(now.ns);
  if (left == 0) loaded_until_ns_ = now.ns + kNsPerSecond;
  const bool loaded = now.ns < loaded_until_ns_;
  if (left > kPlenty && !loaded) {
    handshakes_.take(now.ns);
    return Verdict::kServe;
  }
  const bool proven =
      jar_.check_mac2(datagram.message, source_bytes(datagram.remote), now.ns / kNsPerSecond);
  if (!(proven ? proven_ : claimed_).allow(datagram.remote.addr, now.ns)) {
    return proven ? Verdict::kRefuse : Verdict::kSendCookie;
  }
  handshakes_.take(now.ns);  // whoever isn't served asks all the same
  return loaded && !proven ? Verdict::kSendCookie : Verdict::kServe;
}

bool LoadGuard::may_reply(uint8_t worker, const Now& now) noexcept {
  return replies_of_worker_[worker].take(now.ns) && replies_.take(now.ns);
}

crypto::MessageCookieReply LoadGuard::reply(const Datagram& datagram, const Now& now) noexcept {
  return jar_.reply(datagram.message, source_bytes(datagram.remote), now.ns / kNsPerSecond);
}

}  // namespace wirelay::ctrl
