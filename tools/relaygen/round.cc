// Making packets ahead of time.
#include "tools/relaygen/round.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tools/relaygen/clock.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/frame.h"

namespace wirelay::relaygen {

namespace {

constexpr size_t kSealBurst = 64;

void append(rte_mbuf* packet, uint32_t bytes) {
  if (rte_pktmbuf_append(packet, static_cast<uint16_t>(bytes)) == nullptr) {
    throw Failure("a packet does not fit into its buffer");
  }
}

}  // namespace

uint32_t padded_bytes(uint32_t inner, uint32_t tunnel_mtu) noexcept {
  return std::min((inner + 15) / 16 * 16, std::max(inner, tunnel_mtu));
}

uint32_t tunnel_frame_bytes(uint32_t inner, uint32_t tunnel_mtu, bool v4) noexcept {
  return udp_payload_offset(v4) + kTransportBytes + padded_bytes(inner, tunnel_mtu) +
         crypto::kTagBytes;
}

void RoundMaker::make(Round& round, uint32_t count, Mode mode, const SizeMix& sizes, Spread& spread,
                      Random& random, const std::optional<Pace>& pace) {
  choose(round, count, sizes, spread, random, pace);
  round.frames.resize(count);
  if (rte_pktmbuf_alloc_bulk(pool_, round.frames.data(), count) != 0) {
    throw Failure("the packet pool is exhausted: a port still holds packets of the last round");
  }
  if (mode == Mode::kDown) {
    for (size_t i = 0; i < count; ++i) make_plain(round, i, mode);
    return;
  }
  for (size_t i = 0; i < count; i += kSealBurst) {
    seal_some(round, i, std::min<size_t>(i + kSealBurst, count), mode);
  }
}

void RoundMaker::choose(Round& round, uint32_t count, const SizeMix& sizes, Spread& spread,
                        Random& random, const std::optional<Pace>& pace) {
  ++round.number;
  round.inner_bytes = 0;
  round.packets.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    RoundPacket& packet = round.packets[i];
    packet.flow = spread.draw(random);
    packet.sequence = clients_.flow(packet.flow).next_sequence++;
    packet.bytes = sizes.draw(random);
    packet.stamp = pace ? static_cast<uint32_t>(pace->offset(i) / kStampCycles) : 0;
    round.inner_bytes += packet.bytes;
  }
}

void RoundMaker::put_inner(uint8_t* to, const Round& round, size_t at, Mode mode) const {
  const RoundPacket& packet = round.packets[at];
  const Probe probe{.flow = packet.flow,
                    .sequence = packet.sequence,
                    .index = static_cast<uint32_t>(at),
                    .round = round.probe_number(),
                    .stamp = packet.stamp};
  write_inner(to, clients_.ends(mode, packet.flow), probe, packet.bytes);
}

void RoundMaker::make_plain(Round& round, size_t at, Mode mode) {
  const RoundPacket& packet = round.packets[at];
  rte_mbuf* frame = round.frames[at];
  append(frame, kEthernetBytes + packet.bytes);
  auto* bytes = rte_pktmbuf_mtod(frame, uint8_t*);
  put_inner(bytes + kEthernetBytes, round, at, mode);
  const bool v4 = bytes[kEthernetBytes] >> 4 == 4;
  write_ethernet(bytes, plain_->mac(), plain_->next_hop(v4), v4);
}

void RoundMaker::seal_some(Round& round, size_t from, size_t to, Mode mode) {
  const bool v4 = remote_.addr.is_v4();
  const uint32_t head = udp_payload_offset(v4);
  const double now = seconds_now();
  std::array<crypto::AeadPacket, kSealBurst> sealed;
  for (size_t i = from; i < to; ++i) {
    const RoundPacket& packet = round.packets[i];
    const uint32_t padded = padded_bytes(packet.bytes, tunnel_mtu_);
    append(round.frames[i], tunnel_frame_bytes(packet.bytes, tunnel_mtu_, v4));
    uint8_t* const message = rte_pktmbuf_mtod(round.frames[i], uint8_t*) + head;
    uint8_t* const text = message + kTransportBytes;
    put_inner(text, round, i, mode);
    std::memset(text + packet.bytes, 0, padded - packet.bytes);

    Session& session = clients_.session(packet.flow);
    std::memset(message, 0, kTransportBytes);
    message[0] = static_cast<uint8_t>(crypto::MessageType::kTransport);
    crypto::store_le32(message + 4, session.remote_index);
    crypto::store_le64(message + 8, session.sent);
    sealed[i - from] = {session.send_key.data(), session.sent++, text, padded, false};
    session.last_sent = now;
  }
  engine_.seal_burst({sealed.data(), to - from});
  for (size_t i = from; i < to; ++i) {
    auto* bytes = rte_pktmbuf_mtod(round.frames[i], uint8_t*);
    write_ethernet(bytes, tunnel_.mac(), tunnel_.next_hop(v4), v4);
    write_ip_udp(bytes + kEthernetBytes, clients_[round.packets[i].flow].outer, remote_,
                 round.frames[i]->pkt_len - head);
  }
}

}  // namespace wirelay::relaygen
