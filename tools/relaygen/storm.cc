// Making a storm's messages, and sending them.
#include "tools/relaygen/storm.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "tools/relaygen/clock.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/interrupt.h"

namespace wirelay::relaygen {

namespace {

using Kind = StormOptions::Kind;

constexpr size_t kRepeated = 65536;      // messages that are sent again and again
constexpr size_t kMostMade = 2'000'000;  // 300 MB of initiations
constexpr uint32_t kUnknownKeys = 1000;

size_t bytes_of_kind(Kind kind) {
  return kind == Kind::kCookieReplies ? sizeof(crypto::MessageCookieReply)
                                      : sizeof(crypto::MessageInitiation);
}

std::optional<Pace> pace_of(const StormOptions& options) {
  if (!options.offer) return std::nullopt;
  return Pace(*options.offer, rte_get_tsc_hz());
}

/// Real initiations are taken once each: so many as will be sent while the trial lasts.
size_t count_of(const StormOptions& options, double seconds) {
  if (options.kind != Kind::kInitiations) return kRepeated;
  const double all = std::ceil(options.offer.value() * seconds);
  if (all > static_cast<double>(kMostMade)) {
    throw UsageError("--offer: " + std::to_string(static_cast<uint64_t>(all)) +
                     " initiations in all --duration; at most " + std::to_string(kMostMade));
  }
  return std::max<size_t>(static_cast<size_t>(all), 1);
}

/// Who nobody knows.
struct Stranger {
  crypto::Identity identity;
  crypto::RemoteIdentity remote;
};

std::vector<Stranger> make_strangers(const crypto::PublicKey& far_end) {
  std::vector<Stranger> all;
  for (uint32_t i = 0; i < kUnknownKeys; ++i) {
    const auto self = crypto::make_identity(crypto::generate_private_key());
    const auto remote = crypto::make_remote(self, far_end, {});
    if (remote) all.push_back({self, *remote});
  }
  return all;
}

}  // namespace

Storm::Storm(const StormOptions& options, double seconds, Clients& clients,
             const crypto::PublicKey& far_end, std::span<const uint32_t> senders,
             TunnelSide& tunnel, rte_mempool* pool, Progress& progress)
    : pace_(pace_of(options)),
      message_bytes_(bytes_of_kind(options.kind)),
      wanted_(count_of(options, seconds)),
      clients_(clients),
      far_end_(far_end),
      tunnel_(tunnel),
      pool_(pool) {
  messages_.reserve(wanted_ * message_bytes_);
  from_.reserve(wanted_);
  switch (options.kind) {
    case Kind::kInitiations:
      make_initiations(options.unknown, senders, progress);
      break;
    case Kind::kSpoofed:
      make_spoofed();
      break;
    case Kind::kCookieReplies:
      make_cookie_replies();
      break;
  }
  progress.clear();
  result_.made = count();
}

Storm::~Storm() { rte_pktmbuf_free_bulk(&burst_[burst_at_], burst_count_ - burst_at_); }

std::span<uint8_t> Storm::add(const dataplane::Endpoint& from) {
  from_.push_back(from);
  messages_.resize(count() * message_bytes_);
  return {messages_.end() - static_cast<ptrdiff_t>(message_bytes_), messages_.end()};
}

/// Known and unknown senders mixed evenly, in the order in which they will be sent.
void Storm::make_initiations(double unknown, std::span<const uint32_t> senders,
                             Progress& progress) {
  if (senders.empty() && unknown < 1) {
    throw UsageError(
        "the peers file holds no client that could send a part of the storm; expected "
        "more peers than --users, --newcomers and --waiting take, or --unknown 1");
  }
  const auto strangers = make_strangers(far_end_);
  crypto::MacWriter macs(far_end_);
  uint32_t from_strangers = 0, from_clients = 0;
  std::vector<Sender> next;  // of the messages that were added last
  while (count() < wanted_) {
    if (from_strangers < unknown * static_cast<double>(count() + 1)) {
      const uint32_t number = from_strangers++;
      const Stranger& self = strangers[number % strangers.size()];
      add(clients_.outer_of(clients_.size() + number));
      next.push_back({&self.identity, &self.remote, crypto::random_u32(), &macs});
    } else {
      const uint32_t client = senders[from_clients++ % senders.size()];
      Client& self = clients_[client];
      add(self.outer);
      next.push_back({&self.identity, &self.remote, clients_.new_index(client), &self.macs});
    }
    if (next.size() < crypto::kHandshakesAtOnce && count() < wanted_) continue;
    make_last_initiations(next);
    next.clear();
    stop_if_interrupted();
    if (progress.is_due()) {
      progress.show("the storm's initiations made: " + std::to_string(count()) + " of " +
                    std::to_string(wanted_));
    }
  }
}

/// Each carries the time at which it is due: a far end takes a sender's initiations by their order
/// in time.
void Storm::make_last_initiations(std::span<const Sender> senders) {
  const size_t first = count() - senders.size();
  std::vector<crypto::MessageInitiation> messages(senders.size());
  std::vector<crypto::HandshakeState> states(senders.size());
  std::vector<crypto::InitiationToCreate> burst;
  for (size_t i = 0; i < senders.size(); ++i) {
    const double later = to_seconds(pace_->offset(first + i));
    const uint64_t at = unix_ns() + static_cast<uint64_t>(later * 1e9);
    burst.push_back({senders[i].identity, senders[i].remote, senders[i].index,
                     crypto::make_timestamp(at), &messages[i], &states[i]});
  }
  // Not usable only for an unusable key of the far end, which Clients has ruled out.
  crypto::create_initiations(burst);
  for (size_t i = 0; i < senders.size(); ++i) {
    senders[i].macs->write({reinterpret_cast<uint8_t*>(&messages[i]), message_bytes_},
                           whole_seconds());
    std::memcpy(&messages_[(first + i) * message_bytes_], &messages[i], message_bytes_);
  }
}

/// What the first look takes for an initiation, and nothing behind it.
void Storm::make_spoofed() {
  crypto::MacWriter macs(far_end_);
  while (count() < wanted_) {
    const std::span message = add(clients_.outer_of(static_cast<uint32_t>(count())));
    crypto::random_bytes(message);
    crypto::store_le32(message.data(), static_cast<uint32_t>(crypto::MessageType::kInitiation));
    macs.write(message, whole_seconds());
  }
}

void Storm::make_cookie_replies() {
  while (count() < wanted_) {
    const std::span message = add(clients_.outer_of(static_cast<uint32_t>(count())));
    crypto::random_bytes(message);
    crypto::store_le32(message.data(), static_cast<uint32_t>(crypto::MessageType::kCookieReply));
  }
}

void Storm::begin() noexcept { began_ = cycles_now(); }

bool Storm::step() noexcept {
  if (burst_at_ == burst_count_) fill();
  if (burst_at_ == burst_count_) return false;
  const auto left = static_cast<uint16_t>(burst_count_ - burst_at_);
  const uint16_t taken = tunnel_.port().send(&burst_[burst_at_], left);
  result_.sent += taken;
  burst_at_ = static_cast<uint16_t>(burst_at_ + taken);
  if (pace_ && taken < left) {  // a wire does not wait
    rte_pktmbuf_free_bulk(&burst_[burst_at_], left - taken);
    result_.refused += left - taken;
    burst_at_ = burst_count_;
  }
  return taken > 0;
}

void Storm::fill() noexcept {
  // A burst ends with the last message, so that whoever wants each once gets each once.
  uint64_t due = std::min<uint64_t>(kBurst, count() - offered_ % count());
  if (pace_) due = std::min<uint64_t>(due, pace_->due(cycles_now() - began_) - offered_);
  burst_at_ = burst_count_ = 0;
  if (due == 0 || rte_pktmbuf_alloc_bulk(pool_, burst_.data(), static_cast<unsigned>(due)) != 0) {
    return;
  }
  for (burst_count_ = 0; burst_count_ < due; ++burst_count_, ++offered_) {
    const size_t at = offered_ % count();
    const std::span message(&messages_[at * message_bytes_], message_bytes_);
    const uint32_t bytes = tunnel_.frame_bytes(message_bytes_);
    auto* frame = reinterpret_cast<uint8_t*>(
        rte_pktmbuf_append(burst_[burst_count_], static_cast<uint16_t>(bytes)));
    tunnel_.write(frame, from_[at], message);
  }
}

StormResult Storm::result() const noexcept {
  StormResult result = result_;
  result.seconds = to_seconds(cycles_now() - began_);
  return result;
}

}  // namespace wirelay::relaygen
