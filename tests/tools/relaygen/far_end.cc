// The endpoint that relaygen is tested against.
#include "tests/tools/relaygen/far_end.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <rte_log.h>

#include "tools/relaygen/frame.h"

namespace wirelay::relaygen {

namespace {

constexpr uint32_t kHead = kEthernetBytes + kIpv4Bytes + kUdpBytes;

template <typename T>
T message_of(const Bytes& frame) {
  T message;
  std::memcpy(&message, frame.data() + kHead, sizeof message);
  return message;
}

template <typename T>
std::span<uint8_t> bytes_of(T& message) {
  return {reinterpret_cast<uint8_t*>(&message), sizeof message};
}

std::vector<Bytes> take_all(test::RingPort& port) {
  std::vector<Bytes> frames;
  for (rte_mbuf* packet : port.take()) {
    const auto* bytes = rte_pktmbuf_mtod(packet, const uint8_t*);
    frames.emplace_back(bytes, bytes + packet->data_len);
    rte_pktmbuf_free(packet);
  }
  return frames;
}

/// Address and port of the sender, as a cookie binds them.
std::span<const uint8_t> source_of(const Bytes& frame) {
  return {frame.data() + kEthernetBytes + 12, 4};
}

}  // namespace

FarEnd::FarEnd(const std::vector<Identity>& peers, rte_mempool* pool)
    : self_(crypto::make_identity(crypto::generate_private_key())),
      peers_(peers),
      pool_(pool),
      cookies_(self_.public_key),
      engine_(crypto::make_engine("libsodium")) {
  rte_log_set_level_pattern("lib.ethdev", RTE_LOG_WARNING);  // ports are stopped from both sides
}

void FarEnd::step() {
  for (const Bytes& frame : take_all(tunnel)) take_message(frame);
}

std::vector<Bytes> FarEnd::take_plain() { return take_all(plain); }

void FarEnd::take_message(const Bytes& frame) {
  switch (static_cast<crypto::MessageType>(frame.at(kHead))) {
    case crypto::MessageType::kInitiation:
      return answer(message_of<crypto::MessageInitiation>(frame), frame);
    case crypto::MessageType::kResponse:
      return finish(message_of<crypto::MessageResponse>(frame));
    case crypto::MessageType::kTransport:
      return open(frame);
    default:
      throw std::runtime_error("unexpected message");
  }
}

void FarEnd::answer(const crypto::MessageInitiation& message, const Bytes& frame) {
  ++initiations;
  auto copy = message;
  if (!crypto::check_mac1(crypto::mac1_key(self_.public_key), bytes_of(copy))) {
    throw std::runtime_error("mac1 is wrong");
  }
  if (ignored_initiations > 0) return void(--ignored_initiations);
  const bool known_source = cookies_.check_mac2(bytes_of(copy), source_of(frame), 0);
  if (believe_no_cookie || (demand_cookies && !known_source)) {
    auto reply = cookies_.reply(bytes_of(copy), source_of(frame), 0);
    return send_tunnel(wrap(frame, bytes_of(reply)));
  }
  auto opened = crypto::open_initiation(self_, message);
  if (!opened) return void(++forged);
  const auto known = std::ranges::find(peers_, opened->claimed_static, &Identity::public_key);
  if (known == peers_.end()) return void(++forged);
  const auto remote = crypto::make_remote(self_, known->public_key, known->preshared_key).value();
  if (!crypto::authenticate_initiation(*opened, remote, message)) return void(++forged);
  crypto::MessageResponse response;
  const uint32_t index = next_index_++;
  const auto keys = crypto::create_response(opened->state, remote, index, response);
  crypto::MacWriter(known->public_key).write(bytes_of(response), 0);
  const auto peer = static_cast<uint32_t>(known - peers_.begin());
  sessions_[index] = {peer, keys.value()};
  current_[peer] = index;
  last_frames_[peer] = frame;
  if (forge_responses) {
    auto forgery = response;
    forgery.ephemeral[0] ^= 1;
    send_tunnel(wrap(frame, bytes_of(forgery)));
  }
  send_tunnel(wrap(frame, bytes_of(response)));
}

void FarEnd::initiate(uint32_t peer) {
  const auto remote =
      crypto::make_remote(self_, peers_.at(peer).public_key, peers_[peer].preshared_key).value();
  crypto::MessageInitiation message;
  const uint32_t index = next_index_++;
  auto& [who, state] = begun_[index];
  who = peer;
  if (!crypto::create_initiation(self_, remote, index, crypto::make_timestamp(1'000'000'000),
                                 message, state)) {
    throw std::runtime_error("cannot initiate");
  }
  crypto::MacWriter(remote.public_key).write(bytes_of(message), 0);
  send_tunnel(wrap(last_frames_.at(peer), bytes_of(message)));
}

void FarEnd::finish(const crypto::MessageResponse& message) {
  const uint32_t index = crypto::load_le32(message.receiver);
  auto& [peer, state] = begun_.at(index);
  const auto remote =
      crypto::make_remote(self_, peers_[peer].public_key, peers_[peer].preshared_key).value();
  const auto keys = crypto::consume_response(self_, remote, state, message);
  if (!keys) return void(++forged);
  sessions_[index] = {peer, *keys};
  current_[peer] = index;
}

void FarEnd::open(const Bytes& frame) {
  const uint8_t* message = frame.data() + kHead;
  const uint32_t index = crypto::load_le32(message + 4);
  const uint64_t counter = crypto::load_le64(message + 8);
  Session& session = sessions_.at(index);
  Bytes text(message + 16, frame.data() + frame.size());
  // A short frame is padded to Ethernet's least size; the IP header knows better.
  text.resize(static_cast<size_t>(frame[16] << 8 | frame[17]) - kIpv4Bytes - kUdpBytes - 16);
  crypto::AeadPacket packet{session.keys.receive.data(), counter, text.data(),
                            static_cast<uint32_t>(text.size()) - crypto::kTagBytes, false};
  engine_->open_burst({&packet, 1});
  if (!packet.authentic) return void(++forged);
  counters[index].push_back(counter);
  last_frames_[session.peer] = frame;
  text.resize(packet.length);
  if (text.empty()) return void(++keepalives);
  inner.push_back(text);
  inner_peers.push_back(session.peer);
}

Bytes FarEnd::wrap(const Bytes& like, std::span<const uint8_t> message) const {
  Bytes frame(kHead + message.size());
  std::ranges::copy(message, frame.begin() + kHead);
  const auto packet = read_udp(std::span(like).subspan(kEthernetBytes)).value();
  write_ethernet(frame.data(), {}, {}, true);
  write_ip_udp(frame.data() + kEthernetBytes, packet.to, packet.from,
               static_cast<uint32_t>(message.size()));
  return frame;
}

Bytes FarEnd::seal(uint32_t peer, const Bytes& text) {
  Session& session = sessions_.at(current_.at(peer));
  Bytes message(16 + text.size() + crypto::kTagBytes);
  message[0] = static_cast<uint8_t>(crypto::MessageType::kTransport);
  crypto::store_le32(message.data() + 4, session.keys.remote_index);
  crypto::store_le64(message.data() + 8, session.sent);
  std::ranges::copy(text, message.begin() + 16);
  crypto::AeadPacket packet{session.keys.send.data(), session.sent++, message.data() + 16,
                            static_cast<uint32_t>(text.size()), false};
  engine_->seal_burst({&packet, 1});
  return wrap(last_frames_.at(peer), message);
}

void FarEnd::send_sealed(uint32_t peer, const Bytes& text) { send_tunnel(seal(peer, text)); }

void FarEnd::send_plain(const Bytes& packet) {
  Bytes frame(kEthernetBytes + packet.size());
  write_ethernet(frame.data(), {}, {}, packet.at(0) >> 4 == 4);
  std::ranges::copy(packet, frame.begin() + kEthernetBytes);
  feed(plain, frame);
}

void FarEnd::send_tunnel(const Bytes& frame) { feed(tunnel, frame); }

void FarEnd::feed(test::RingPort& port, const Bytes& frame) {
  rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
  if (packet == nullptr) throw std::runtime_error("no packet left");
  std::memcpy(rte_pktmbuf_append(packet, static_cast<uint16_t>(frame.size())), frame.data(),
              frame.size());
  if (!port.feed(packet)) throw std::runtime_error("the ring is full");
}

}  // namespace wirelay::relaygen
