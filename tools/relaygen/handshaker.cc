// Bringing sessions up.
#include "tools/relaygen/handshaker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <rte_cycles.h>

#include "tools/relaygen/clock.h"
#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/pace.h"

namespace wirelay::relaygen {

namespace {

using crypto::MessageCookieReply;
using crypto::MessageInitiation;
using crypto::MessageResponse;
using crypto::MessageType;

/// Handshakes that are computed together.
constexpr size_t kTogether = crypto::kHandshakesAtOnce;

/// Naps when nothing came in: as many as are asked for, or at a rate that leaves time.
constexpr unsigned kIdleMicroseconds = 20, kIdleAtRateMicroseconds = 500;

template <typename T>
std::span<uint8_t> bytes_of(T& message) {
  return {reinterpret_cast<uint8_t*>(&message), sizeof message};
}

template <typename T>
T message_of(std::span<const uint8_t> bytes) {
  T message;
  std::memcpy(&message, bytes.data(), sizeof message);
  return message;
}

}  // namespace

struct Handshaker::Attempt {
  MessageInitiation initiation;
  MessageResponse response;  // that came, until it is opened
  crypto::HandshakeState state;
  uint64_t first_sent = 0, last_sent = 0;  // cycles; 0: not yet
  uint64_t came = 0;                       // cycles: the response; 0: none
  bool cookie_used = false;                // by this initiation
  bool answered = false;
};

Handshaker::Handshaker(Clients& clients, TunnelSide& tunnel, crypto::AeadEngine& engine,
                       const HandshakeOptions& options)
    : clients_(clients),
      tunnel_(tunnel),
      engine_(engine),
      options_(options),
      attempts_(clients.size()) {}

Handshaker::~Handshaker() = default;

HandshakeResult Handshaker::bring_up(std::span<const uint32_t> wanted, bool ahead,
                                     const std::function<unsigned()>& poll, Progress& progress) {
  result_ = HandshakeResult{};
  result_.wanted = static_cast<uint32_t>(wanted.size());
  ahead_ = ahead;
  if (ahead) prepare_ahead(wanted, progress);
  const uint64_t began = last_response_ = cycles_now();
  size_t next = 0;
  while (next < wanted.size() || waiting_ > 0) {
    const size_t due = std::min(wanted.size(), due_after(cycles_now() - began));
    const size_t room = waiting_ < options_.window ? options_.window - waiting_ : 0;
    const auto starting = wanted.subspan(next, std::min(due - std::min(due, next), room));
    start(starting, ahead);
    next += starting.size();
    stop_if_interrupted();
    const unsigned seen = poll();
    if (!ahead_) finish_came();
    repeat_overdue(cycles_now());
    show_progress(progress);
    if (seen == 0)
      rte_delay_us_sleep(options_.rate == 0 ? kIdleMicroseconds : kIdleAtRateMicroseconds);
  }
  result_.seconds = to_seconds(last_response_ - began);
  finish_came();
  for (const uint32_t client : wanted) attempts_[client].reset();
  sent_.clear();
  progress.clear();
  return result_;
}

void Handshaker::prepare_ahead(std::span<const uint32_t> wanted, Progress& progress) {
  for (size_t i = 0; i < wanted.size(); i += kTogether) {
    prepare(wanted.subspan(i, std::min(kTogether, wanted.size() - i)));
    stop_if_interrupted();
    if (progress.is_due()) progress.show("initiations made: " + std::to_string(i));
  }
}

/// How many clients may have begun by then.
size_t Handshaker::due_after(uint64_t cycles) const {
  if (options_.rate == 0) return clients_.size();
  return Pace(options_.rate, rte_get_tsc_hz()).due(cycles);
}

/// Some are computed and sent before the next ones are: the far end is not kept waiting.
void Handshaker::start(std::span<const uint32_t> clients, bool prepared) {
  for (size_t i = 0; i < clients.size(); i += kTogether) {
    const auto some = clients.subspan(i, std::min(kTogether, clients.size() - i));
    if (!prepared) prepare(some);
    for (const uint32_t client : some) send_initiation(*attempts_[client], client);
    waiting_ += static_cast<uint32_t>(some.size());
  }
}

void Handshaker::prepare(std::span<const uint32_t> clients) {
  std::vector<crypto::InitiationToCreate> burst;
  const crypto::Timestamp now = crypto::make_timestamp(unix_ns());
  for (const uint32_t client : clients) {
    auto& attempt = attempts_[client];
    if (attempt == nullptr) attempt = std::make_unique<Attempt>();
    attempt->cookie_used = false;
    const Client& self = clients_[client];
    burst.push_back({&self.identity, &self.remote, clients_.new_index(client), now,
                     &attempt->initiation, &attempt->state});
  }
  // Not usable only for an unusable key of the far end, which Clients has ruled out.
  crypto::create_initiations(burst);
}

void Handshaker::send_initiation(Attempt& attempt, uint32_t client) {
  clients_[client].macs.write(bytes_of(attempt.initiation), whole_seconds());
  tunnel_.send(clients_[client].outer, bytes_of(attempt.initiation));
  attempt.last_sent = cycles_now();
  if (attempt.first_sent == 0) attempt.first_sent = attempt.last_sent;
  sent_.push_back({client, attempt.last_sent});
  ++result_.initiations;
}

void Handshaker::repeat_overdue(uint64_t now) {
  const uint64_t patience = to_cycles(options_.retry);
  std::vector<uint32_t> again;
  while (!sent_.empty() && sent_.front().at + patience <= now) {
    const Sent oldest = sent_.front();
    sent_.pop_front();
    auto& attempt = attempts_[oldest.client];
    if (attempt == nullptr || attempt->answered || attempt->last_sent != oldest.at) continue;
    if (attempt->first_sent + to_cycles(options_.give_up) <= now) {
      attempt.reset();
      --waiting_;
      continue;
    }
    again.push_back(oldest.client);
  }
  // New ones: the far end may have seen the old ones, and takes no timestamp twice.
  prepare(again);
  for (const uint32_t client : again) send_initiation(*attempts_[client], client);
  result_.repeated += again.size();
}

void Handshaker::take(const dataplane::Endpoint& to, std::span<const uint8_t> message) {
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::kInitiation:
      if (message.size() == sizeof(MessageInitiation)) answer_initiation(to, message);
      break;
    case MessageType::kResponse:
      if (message.size() == sizeof(MessageResponse)) take_response(message);
      break;
    case MessageType::kCookieReply:
      if (message.size() == sizeof(MessageCookieReply)) take_cookie(message);
      break;
    default:
      break;
  }
}

void Handshaker::take_response(std::span<const uint8_t> bytes) {
  const auto message = message_of<MessageResponse>(bytes);
  const uint32_t index = crypto::load_le32(message.receiver);
  const uint32_t client = clients_.client_of(index);
  if (client >= clients_.size() || attempts_[client] == nullptr) return;
  Attempt& attempt = *attempts_[client];
  if (attempt.answered || attempt.state.local_index != index) return;
  // One after another: a second one is opened only where the first was not authentic.
  if (attempt.came != 0 && !ahead_) {
    finish_came();
    return take_response(bytes);
  }
  attempt.response = message;
  attempt.came = cycles_now();
  came_.push_back(client);
  if (ahead_) note_answered(attempt);
}

void Handshaker::note_answered(Attempt& attempt) {
  attempt.answered = true;
  --waiting_;
  last_response_ = attempt.came;
  result_.latency.add(static_cast<uint64_t>(to_seconds(attempt.came - attempt.last_sent) * 1e9));
}

/// Opens the responses that came, together. One that is not authentic may be anyone's: the far
/// end's own may still come.
void Handshaker::finish_came() {
  std::vector<crypto::ResponseToConsume> burst;
  for (const uint32_t client : came_) {
    Attempt& attempt = *attempts_[client];
    const Client& self = clients_[client];
    burst.push_back({&self.identity, &self.remote, &attempt.state, &attempt.response, {}});
  }
  crypto::consume_responses(burst);
  const double now = seconds_now();
  for (size_t i = 0; i < burst.size(); ++i) {
    const uint32_t client = came_[i];
    Attempt& attempt = *attempts_[client];
    if (!burst[i].keys) {
      attempt.came = 0;
      ++result_.refused;
      continue;
    }
    if (!ahead_) note_answered(attempt);
    clients_.install(client, *burst[i].keys, now);
    ++result_.done;
    // Until the responder has seen a packet under the new keys it must not send with them.
    send_keepalive(client);
    attempts_[client].reset();
  }
  came_.clear();
}

void Handshaker::take_cookie(std::span<const uint8_t> bytes) {
  const auto message = message_of<MessageCookieReply>(bytes);
  const uint32_t client = clients_.client_of(crypto::load_le32(message.receiver));
  if (client >= clients_.size() || attempts_[client] == nullptr) return;
  Attempt& attempt = *attempts_[client];
  if (attempt.answered || !clients_[client].macs.consume(message, whole_seconds())) return;
  ++result_.cookies;
  // A far end that answers every cookie with another one would have us send without end.
  if (std::exchange(attempt.cookie_used, true)) return;
  // The far end has not looked into the initiation: the same one, with the cookie, will do.
  send_initiation(attempt, client);
}

void Handshaker::answer_initiation(const dataplane::Endpoint& to, std::span<const uint8_t> bytes) {
  const auto client = clients_.addressed(to, bytes);
  if (!client) return;
  Client& self = clients_[*client];
  const auto message = message_of<MessageInitiation>(bytes);
  auto opened = crypto::open_initiation(self.identity, message);
  if (!opened || opened->claimed_static != self.remote.public_key) return;
  const auto timestamp = crypto::authenticate_initiation(*opened, self.remote, message);
  if (!timestamp || *timestamp <= self.last_timestamp) return;
  self.last_timestamp = *timestamp;
  MessageResponse response;
  const auto keys =
      crypto::create_response(opened->state, self.remote, clients_.new_index(*client), response);
  if (!keys) return;
  clients_.install(*client, *keys, seconds_now());
  self.macs.write(bytes_of(response), whole_seconds());
  tunnel_.send(self.outer, bytes_of(response));
  ++answered_;
}

void Handshaker::send_keepalive(uint32_t client) {
  Session& session = clients_.session(client);
  struct {
    crypto::MessageTransport head;
    uint8_t tag[crypto::kTagBytes];
  } packet{};
  packet.head.header.type = static_cast<uint8_t>(MessageType::kTransport);
  crypto::store_le32(packet.head.receiver, session.remote_index);
  crypto::store_le64(packet.head.counter, session.sent);
  crypto::AeadPacket sealed{session.send_key.data(), session.sent++, packet.tag, 0, false};
  engine_.seal_burst({&sealed, 1});
  session.last_sent = seconds_now();
  tunnel_.send(clients_[client].outer, bytes_of(packet));
}

void Handshaker::show_progress(Progress& progress) const {
  if (!progress.is_due()) return;
  progress.show("handshakes: " + std::to_string(result_.latency.total()) + " of " +
                std::to_string(result_.wanted) + ", " + std::to_string(result_.repeated) +
                " repeated, " + std::to_string(result_.cookies) + " cookies");
}

}  // namespace wirelay::relaygen
