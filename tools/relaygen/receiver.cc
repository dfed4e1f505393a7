// Counting and verifying what comes out.
#include "tools/relaygen/receiver.h"

#include <algorithm>
#include <cstring>

#include "tools/relaygen/clock.h"
#include "tools/relaygen/frame.h"

namespace wirelay::relaygen {

namespace {

std::optional<Probe> probe_of(const std::optional<UdpPacket>& packet) noexcept {
  if (!packet || packet->payload_bytes < kProbeBytes) return std::nullopt;
  return read_probe(packet->payload);
}

/// Whether the probe is one that the round's packets carry.
bool is_of(const std::optional<Probe>& probe, const Round& round) noexcept {
  if (!probe || probe->index >= round.packets.size()) return false;
  const RoundPacket& sent = round.packets[probe->index];
  return sent.flow == probe->flow && sent.sequence == probe->sequence && sent.stamp == probe->stamp;
}

/// Calls `take` for each frame that the port has, and `done` behind the last one.
template <typename Take, typename Done>
unsigned receive_burst(Port& port, Take take, Done done) {
  std::array<rte_mbuf*, kBurst> burst;
  const uint16_t count = port.receive(burst);
  if (count == 0) return 0;
  for (uint16_t i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(burst[i], void*));
  for (uint16_t i = 0; i < count; ++i) {
    take(std::span(rte_pktmbuf_mtod(burst[i], uint8_t*), burst[i]->data_len));
  }
  done();
  rte_pktmbuf_free_bulk(burst.data(), count);
  return count;
}

}  // namespace

Receiver::Receiver(Clients& clients, Handshaker& handshaker, crypto::AeadEngine& engine,
                   Port& tunnel, Port* plain, const dataplane::Endpoint& remote, uint32_t sample)
    : clients_(clients),
      handshaker_(handshaker),
      engine_(engine),
      tunnel_(tunnel),
      plain_(plain),
      remote_(remote),
      sample_(sample) {}

void Receiver::expect(const Round& round, Mode mode, uint64_t start, bool paced) noexcept {
  round_ = &round;
  mode_ = mode;
  start_ = start;
  paced_ = paced;
  before_ = unique();
}

Counts Receiver::take_counts() noexcept { return std::exchange(counts_, Counts{}); }

unsigned Receiver::poll() {
  const unsigned seen = poll_tunnel();
  return plain_ == nullptr ? seen : seen + poll_plain();
}

unsigned Receiver::poll_plain() {
  now_ = cycles_now();
  return receive_burst(
      *plain_, [this](std::span<uint8_t> frame) { take_plain(frame); }, [] {});
}

void Receiver::take_plain(std::span<const uint8_t> frame) {
  const auto packet =
      frame.size() < kEthernetBytes ? std::nullopt : read_udp(frame.subspan(kEthernetBytes));
  if (!packet || packet->to.port != kDiscardPort) {
    ++counts_.other;
    plain_->take_neighbour(frame);
    return;
  }
  if (round_ == nullptr || mode_ != Mode::kUp) return void(++counts_.other);
  const auto probe = probe_of(packet);
  if (probe && probe->round != round_->probe_number()) return void(++counts_.late);
  if (!is_of(probe, *round_)) {
    count_arrival(Arrival::kInOrder);
    ++counts_.verified;
    ++counts_.bad_payload;
    return;
  }
  count_arrival(clients_.flow(probe->flow).received.take(probe->sequence));
  check_content(*packet, *probe, nullptr);
}

unsigned Receiver::poll_tunnel() {
  now_ = cycles_now();
  return receive_burst(
      tunnel_, [this](std::span<uint8_t> frame) { take_tunnel(frame); },
      [this] { open_samples(); });
}

void Receiver::take_tunnel(std::span<uint8_t> frame) {
  const auto packet =
      frame.size() < kEthernetBytes ? std::nullopt : read_udp(frame.subspan(kEthernetBytes));
  if (!packet || packet->from != remote_ || packet->payload_bytes < 4) {
    ++counts_.other;
    tunnel_.take_neighbour(frame);
    return;
  }
  const std::span message(frame.data() + (packet->payload - frame.data()), packet->payload_bytes);
  if (message[0] == static_cast<uint8_t>(crypto::MessageType::kTransport)) {
    take_transport(packet->to, message, kEthernetBytes + packet->ip_bytes);
  } else {
    open_samples();  // with the keys of now: a handshake may put others in their place
    handshaker_.take(packet->to, message);
  }
}

void Receiver::take_transport(const dataplane::Endpoint& to, std::span<uint8_t> message,
                              uint32_t frame_bytes) {
  if (message.size() < kTransportBytes + crypto::kTagBytes) return void(++counts_.other);
  Session* const session = clients_.find(crypto::load_le32(message.data() + 4));
  if (session == nullptr) return void(++counts_.other);
  const auto text_bytes =
      static_cast<uint32_t>(message.size() - kTransportBytes - crypto::kTagBytes);
  const uint64_t counter = crypto::load_le64(message.data() + 8);
  const Arrival arrival = session->received.take(counter);
  if (text_bytes == 0) {
    ++counts_.keepalives;
  } else if (round_ == nullptr || mode_ == Mode::kUp) {
    ++counts_.foreign;
    counts_.foreign_inner_bytes += text_bytes;
    counts_.foreign_wire_bytes += wire_bytes(frame_bytes);
  } else {
    count_arrival(arrival);
    if (to != clients_[clients_.client_of(session->local_index)].outer) ++counts_.bad_address;
  }
  // A session that the far end began is ours to use once a packet proves that it is its own.
  const bool due = sample_ != 0 && text_bytes != 0 && until_sample_-- == 0;
  if (due) until_sample_ = sample_ - 1;
  if (!due && session->confirmed) return;
  opening_.push_back(
      {session->receive_key.data(), counter, message.data() + kTransportBytes, text_bytes, false});
  opening_sessions_.push_back(session);
}

void Receiver::open_samples() {
  if (opening_.empty()) return;
  engine_.open_burst(opening_);
  for (size_t i = 0; i < opening_.size(); ++i) {
    const crypto::AeadPacket& packet = opening_[i];
    Session& session = *opening_sessions_[i];
    if (!packet.authentic) {
      ++counts_.verified;
      ++counts_.bad_tag;
      continue;
    }
    if (!session.confirmed) clients_.confirm(clients_.client_of(session.local_index), session);
    if (packet.length != 0) check_inner({packet.text, packet.length}, session);
  }
  opening_.clear();
  opening_sessions_.clear();
}

void Receiver::check_inner(std::span<const uint8_t> inner, const Session& session) {
  if (round_ == nullptr || mode_ == Mode::kUp) return void(++counts_.verified);
  const auto packet = read_udp(inner);
  if (!packet || packet->to.port != kDiscardPort) {  // such as ICMP of the far end
    --counts_.received;
    ++counts_.other;
    return;
  }
  const auto probe = probe_of(packet);
  if (probe && probe->round != round_->probe_number()) {
    --counts_.received;
    ++counts_.late;
  } else if (is_of(probe, *round_)) {
    check_content(*packet, *probe, &session);
  } else {
    ++counts_.verified;
    ++counts_.bad_payload;
  }
}

void Receiver::check_content(const UdpPacket& packet, const Probe& probe, const Session* session) {
  ++counts_.verified;
  const FlowEnds ends = clients_.ends(mode_, probe.flow);
  const bool addresses_right = packet.from.addr == ends.source &&
                               packet.to.addr == ends.destination &&
                               (session == nullptr || clients_.client_of(session->local_index) ==
                                                          clients_.receiver(mode_, probe.flow));
  const bool payload_right = packet.ip_bytes == round_->packets[probe.index].bytes &&
                             std::memcmp(packet.payload + kProbeBytes, pattern_of(probe.sequence),
                                         packet.payload_bytes - kProbeBytes) == 0;
  if (!addresses_right) return void(++counts_.bad_address);
  if (!payload_right) return void(++counts_.bad_payload);
  if (!checksums_right(packet)) return void(++counts_.bad_checksum);
  if (!paced_) return;
  const uint64_t due = start_ + probe.stamp * kStampCycles;
  const uint64_t took = now_ > due ? now_ - due : 0;
  latency_.add(static_cast<uint64_t>(to_seconds(took) * 1e9));
}

void Receiver::count_arrival(Arrival arrival) noexcept {
  ++counts_.received;
  if (arrival == Arrival::kDuplicate) ++counts_.duplicates;
  if (arrival == Arrival::kReordered) ++counts_.reordered;
  last_arrival_ = now_;
}

}  // namespace wirelay::relaygen
