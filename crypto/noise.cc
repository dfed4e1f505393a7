// The messages of the Noise_IKpsk2 handshake, from the steps of crypto/transcripts.h.
#include "crypto/noise.h"

#include <array>
#include <cstring>
#include <tuple>

#include "crypto/exchanges.h"
#include "crypto/transcripts.h"

namespace wirelay::crypto {

static_assert(kHandshakesAtOnce == kHashLanes);

namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint64_t kTai64Epoch = 0x400000000000000a;  // 1970-01-01 UTC, as TAI64 labels it
constexpr uint64_t kTimestampGrain = uint64_t{1} << 24;

MessageHeader make_header(MessageType type) noexcept {
  return {static_cast<uint8_t>(type), {0, 0, 0}};
}

bool is(const MessageHeader& header, MessageType type) noexcept {
  return header.type == static_cast<uint8_t>(type) &&
         (header.reserved[0] | header.reserved[1] | header.reserved[2]) == 0;
}

/// The handshakes of a burst that are computed together: those that may be, kHandshakesAtOnce at
/// a time.
template <typename Task, typename May, typename Work>
void in_parts(std::span<Task> burst, May may, Work work) noexcept {
  EachOf<Task*> part{};
  size_t count = 0;
  for (Task& task : burst) {
    if (!may(task)) continue;
    part[count++] = &task;
    if (count == part.size()) work(std::span<Task* const>(part));
    count %= part.size();
  }
  if (count > 0) work(std::span<Task* const>(part).first(count));
}

constexpr auto kAll = [](const auto&) { return true; };

/// 32 bytes of each handshake.
template <typename Task, typename Of>
Lanes<32> gather(std::span<Task* const> part, Of of) noexcept {
  Lanes<32> lanes;
  for (size_t i = 0; i < part.size(); ++i) lanes.set(i, of(*part[i]));
  return lanes;
}

/// The last step of both sides: the initiator sends with the first key, the responder with the
/// second.
class TransportKeysOf {
 public:
  explicit TransportKeysOf(const Transcripts& transcripts) noexcept {
    transcripts.derive(first_, second_);
  }
  [[nodiscard]] TransportKeys keys(size_t which, bool initiator, uint32_t local_index,
                                   uint32_t remote_index) const noexcept {
    TransportKeys keys;
    (initiator ? first_ : second_).get(which, keys.send.data());
    (initiator ? second_ : first_).get(which, keys.receive.data());
    keys.local_index = local_index;
    keys.remote_index = remote_index;
    keys.initiator = initiator;
    return keys;
  }

 private:
  Lanes<32> first_, second_;
};

}  // namespace

Timestamp make_timestamp(uint64_t unix_ns) noexcept {
  const uint64_t seconds = kTai64Epoch + unix_ns / kNanosecondsPerSecond;
  const uint64_t nanoseconds = unix_ns % kNanosecondsPerSecond & ~(kTimestampGrain - 1);
  Timestamp out;
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(seconds >> (56 - 8 * i));
  for (int i = 0; i < 4; ++i) out[8 + i] = static_cast<uint8_t>(nanoseconds >> (24 - 8 * i));
  return out;
}

uint64_t unix_seconds_of(const Timestamp& timestamp) noexcept {
  uint64_t seconds = 0;
  for (int i = 0; i < 8; ++i) seconds = seconds << 8 | timestamp[i];
  return seconds < kTai64Epoch ? 0 : seconds - kTai64Epoch;
}

Identity make_identity(const Secret& private_key) noexcept {
  return {private_key, derive_public_key(private_key)};
}

namespace {

/// 28 bytes are 12 of a timestamp and their tag.
constexpr size_t kTimestampBytes = std::tuple_size_v<Timestamp>;

Lanes<32> public_keys_of_self(std::span<InitiationToOpen* const> part) noexcept {
  return gather(part, [](const InitiationToOpen& task) { return task.self->public_key.data(); });
}

void make_remote_part(std::span<RemoteOfBurst* const> part) noexcept {
  Exchanges exchanges;
  for (const RemoteOfBurst* task : part) {
    exchanges.agree(task->self->private_key, task->remote->public_key.data());
  }
  exchanges.compute();
  for (size_t i = 0; i < part.size(); ++i) {
    part[i]->remote->static_static = exchanges.shared(i);
    part[i]->usable = exchanges.usable(i);
  }
}

void create_initiation_part(std::span<InitiationToCreate* const> part) noexcept {
  EachOf<Secret> ephemerals;
  generate_private_keys(std::span(ephemerals).first(part.size()));
  Exchanges exchanges;
  for (size_t i = 0; i < part.size(); ++i) {
    InitiationToCreate& task = *part[i];
    *task.state = {};
    task.state->local_index = task.local_index;
    task.state->ephemeral = ephemerals[i];
    task.message->header = make_header(MessageType::kInitiation);
    store_le32(task.message->sender, task.local_index);
    exchanges.make_public(ephemerals[i], task.message->ephemeral);
    exchanges.agree(ephemerals[i], task.remote->public_key.data());
  }
  exchanges.compute();

  using Task = InitiationToCreate;
  Transcripts transcripts(part.size());
  Lanes<32> keys;
  transcripts.start(gather(part, [](const Task& t) { return t.remote->public_key.data(); }));
  transcripts.mix_ephemeral(gather(part, [](const Task& t) { return t.message->ephemeral; }));
  transcripts.mix_key(keys, exchanges.shared(0, part.size()));
  transcripts.seal_and_hash<sizeof(PublicKey)>(
      keys, [&](size_t i) { return std::span(part[i]->self->public_key); },
      [&](size_t i) { return std::span(part[i]->message->sealed_static); });
  transcripts.mix_key(keys,
                      gather(part, [](const Task& t) { return t.remote->static_static.data(); }));
  transcripts.seal_and_hash<kTimestampBytes>(
      keys, [&](size_t i) { return std::span(part[i]->now); },
      [&](size_t i) { return std::span(part[i]->message->sealed_timestamp); });
  for (size_t i = 0; i < part.size(); ++i) {
    transcripts.save(i, part[i]->state->chaining_key, part[i]->state->hash);
    part[i]->usable = exchanges.usable(i);
  }
}

void open_initiation_part(std::span<InitiationToOpen* const> part) noexcept {
  using Task = InitiationToOpen;
  Exchanges exchanges;
  for (const Task* task : part) {
    exchanges.agree(task->self->private_key, task->message->ephemeral);
  }
  exchanges.compute();

  Transcripts transcripts(part.size());
  Lanes<32> keys;
  EachOf<PublicKey> claimed;
  transcripts.start(public_keys_of_self(part));
  transcripts.mix_ephemeral(gather(part, [](const Task& t) { return t.message->ephemeral; }));
  transcripts.mix_key(keys, exchanges.shared(0, part.size()));
  const auto authentic = transcripts.open_and_hash<sizeof(PublicKey)>(
      keys, [&](size_t i) { return std::span(claimed[i]); },
      [&](size_t i) { return std::span(part[i]->message->sealed_static); });
  for (size_t i = 0; i < part.size(); ++i) {
    if (!authentic[i] || !exchanges.usable(i)) continue;
    OpenedInitiation& opened = part[i]->opened.emplace();
    opened.claimed_static = claimed[i];
    opened.state.remote_index = load_le32(part[i]->message->sender);
    std::memcpy(opened.state.remote_ephemeral.data(), part[i]->message->ephemeral,
                sizeof(PublicKey));
    transcripts.save(i, opened.state.chaining_key, opened.state.hash);
  }
}

void authenticate_initiation_part(std::span<InitiationToAuthenticate* const> part) noexcept {
  using Task = InitiationToAuthenticate;
  Transcripts transcripts(part.size());
  for (size_t i = 0; i < part.size(); ++i) {
    transcripts.load(i, part[i]->opened->state.chaining_key, part[i]->opened->state.hash);
  }
  Lanes<32> keys;
  EachOf<Timestamp> timestamps;
  transcripts.mix_key(keys,
                      gather(part, [](const Task& t) { return t.remote->static_static.data(); }));
  const auto authentic = transcripts.open_and_hash<kTimestampBytes>(
      keys, [&](size_t i) { return std::span(timestamps[i]); },
      [&](size_t i) { return std::span(part[i]->message->sealed_timestamp); });
  for (size_t i = 0; i < part.size(); ++i) {
    if (!authentic[i]) continue;
    HandshakeState& state = part[i]->opened->state;
    transcripts.save(i, state.chaining_key, state.hash);
    part[i]->timestamp = timestamps[i];
  }
}

void create_response_part(std::span<ResponseToCreate* const> part) noexcept {
  using Task = ResponseToCreate;
  EachOf<HandshakeState> states;
  EachOf<Secret> ephemerals;
  generate_private_keys(std::span(ephemerals).first(part.size()));
  Exchanges exchanges;
  Transcripts transcripts(part.size());
  for (size_t i = 0; i < part.size(); ++i) {
    Task& task = *part[i];
    states[i] = *task.state;
    *task.state = {};
    transcripts.load(i, states[i].chaining_key, states[i].hash);
    task.message->header = make_header(MessageType::kResponse);
    store_le32(task.message->sender, task.local_index);
    store_le32(task.message->receiver, states[i].remote_index);
    exchanges.make_public(ephemerals[i], task.message->ephemeral);
    exchanges.agree(ephemerals[i], states[i].remote_ephemeral.data());
  }
  for (size_t i = 0; i < part.size(); ++i) {
    exchanges.agree(ephemerals[i], part[i]->remote->public_key.data());
  }
  exchanges.compute();

  Lanes<32> keys;
  transcripts.mix_ephemeral(gather(part, [](const Task& t) { return t.message->ephemeral; }));
  transcripts.mix_key(exchanges.shared(0, part.size()));
  transcripts.mix_key(exchanges.shared(part.size(), part.size()));
  transcripts.mix_preshared(
      keys, gather(part, [](const Task& t) { return t.remote->preshared_key.data(); }));
  transcripts.seal_and_hash<0>(
      keys, [](size_t) { return std::span<const uint8_t>(); },
      [&](size_t i) { return std::span(part[i]->message->sealed_nothing); });
  const TransportKeysOf transport(transcripts);
  for (size_t i = 0; i < part.size(); ++i) {
    if (!exchanges.usable(i) || !exchanges.usable(part.size() + i)) continue;
    part[i]->keys = transport.keys(i, false, part[i]->local_index, states[i].remote_index);
  }
}

void consume_response_part(std::span<ResponseToConsume* const> part) noexcept {
  using Task = ResponseToConsume;
  Exchanges exchanges;
  Transcripts transcripts(part.size());
  for (size_t i = 0; i < part.size(); ++i) {
    transcripts.load(i, part[i]->state->chaining_key, part[i]->state->hash);
    exchanges.agree(part[i]->state->ephemeral, part[i]->message->ephemeral);
  }
  for (const Task* task : part) {
    exchanges.agree(task->self->private_key, task->message->ephemeral);
  }
  exchanges.compute();

  Lanes<32> keys;
  transcripts.mix_ephemeral(gather(part, [](const Task& t) { return t.message->ephemeral; }));
  transcripts.mix_key(exchanges.shared(0, part.size()));
  transcripts.mix_key(exchanges.shared(part.size(), part.size()));
  transcripts.mix_preshared(
      keys, gather(part, [](const Task& t) { return t.remote->preshared_key.data(); }));
  const auto authentic = transcripts.open_and_hash<0>(
      keys, [](size_t) { return std::span<uint8_t>(); },
      [&](size_t i) { return std::span(part[i]->message->sealed_nothing); });
  const TransportKeysOf transport(transcripts);
  for (size_t i = 0; i < part.size(); ++i) {
    if (!authentic[i] || !exchanges.usable(i) || !exchanges.usable(part.size() + i)) continue;
    // The state stays as it is until the response proves genuine.
    HandshakeState& state = *part[i]->state;
    part[i]->keys = transport.keys(i, true, state.local_index, load_le32(part[i]->message->sender));
    state = {};
  }
}

}  // namespace

void make_remotes(std::span<RemoteOfBurst> burst) noexcept {
  in_parts(burst, kAll, make_remote_part);
}

void create_initiations(std::span<InitiationToCreate> burst) noexcept {
  in_parts(burst, kAll, create_initiation_part);
}

void open_initiations(std::span<InitiationToOpen> burst) noexcept {
  const auto may = [](InitiationToOpen& task) {
    task.opened.reset();
    return is(task.message->header, MessageType::kInitiation);
  };
  in_parts(burst, may, open_initiation_part);
}

void authenticate_initiations(std::span<InitiationToAuthenticate> burst) noexcept {
  in_parts(burst, kAll, authenticate_initiation_part);
}

void create_responses(std::span<ResponseToCreate> burst) noexcept {
  in_parts(burst, kAll, create_response_part);
}

void consume_responses(std::span<ResponseToConsume> burst) noexcept {
  const auto may = [](ResponseToConsume& task) {
    task.keys.reset();
    return is(task.message->header, MessageType::kResponse) &&
           load_le32(task.message->receiver) == task.state->local_index;
  };
  in_parts(burst, may, consume_response_part);
}

std::optional<RemoteIdentity> make_remote(const Identity& self, const PublicKey& peer,
                                          const Secret& preshared_key) noexcept {
  RemoteIdentity remote{peer, {}, preshared_key};
  RemoteOfBurst one{&self, &remote};
  make_remotes({&one, 1});
  return one.usable ? std::optional(remote) : std::nullopt;
}

bool create_initiation(const Identity& self, const RemoteIdentity& remote, uint32_t local_index,
                       const Timestamp& now, MessageInitiation& out,
                       HandshakeState& state) noexcept {
  InitiationToCreate one{&self, &remote, local_index, now, &out, &state};
  create_initiations({&one, 1});
  return one.usable;
}

std::optional<OpenedInitiation> open_initiation(const Identity& self,
                                                const MessageInitiation& message) noexcept {
  InitiationToOpen one{&self, &message, {}};
  open_initiations({&one, 1});
  return one.opened;
}

std::optional<Timestamp> authenticate_initiation(OpenedInitiation& opened,
                                                 const RemoteIdentity& remote,
                                                 const MessageInitiation& message) noexcept {
  InitiationToAuthenticate one{&opened, &remote, &message, {}};
  authenticate_initiations({&one, 1});
  return one.timestamp;
}

std::optional<TransportKeys> create_response(HandshakeState& state, const RemoteIdentity& remote,
                                             uint32_t local_index, MessageResponse& out) noexcept {
  ResponseToCreate one{&state, &remote, local_index, &out, {}};
  create_responses({&one, 1});
  return one.keys;
}

std::optional<TransportKeys> consume_response(const Identity& self, const RemoteIdentity& remote,
                                              HandshakeState& state,
                                              const MessageResponse& message) noexcept {
  ResponseToConsume one{&self, &remote, &state, &message, {}};
  consume_responses({&one, 1});
  return one.keys;
}

}  // namespace wirelay::crypto
