// Two protocols and a wire, see lab.h.
#include "tests/ctrl/protocol/lab.h"

#include <cstring>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_ether.h>
#include <rte_mempool.h>

#include "crypto/cookie.h"
#include "crypto/replay.h"
#include "ctrl/packets/datagram.h"
#include "dataplane/encap.h"
#include "dataplane/moved_path.h"

namespace wirelay::test {

using crypto::MessageType;
using dataplane::Endpoint;
using dataplane::IpAddr;
using dataplane::PuntReason;
using dataplane::Session;

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint16_t kUdpPort = 51820;

IpAddr address(uint8_t number, bool v6) {
  if (v6) return *dataplane::parse_ip("2001:db8::" + std::to_string(number));
  return *dataplane::parse_ip("192.0.2." + std::to_string(number));
}

rte_mbuf* make_mbuf(rte_mempool* pool, const Bytes& bytes) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool);
  CPPUNIT_ASSERT(mbuf != nullptr);
  std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(bytes.size())), bytes.data(),
              bytes.size());
  return mbuf;
}

}  // namespace

Side::Side(uint8_t number, const ctrl::Now& clock, const dataplane::Sizes& sizes, rte_mempool* pool,
           uint64_t handshake_ns, ctrl::Answerer* answerer)
    : now(clock),
      identity(crypto::make_identity(crypto::generate_private_key())),
      shared(sizes, 1, kHz),
      prefixes(shared.prefixes, shared.rcu),
      peers(shared.peers, prefixes, shared.rcu),
      sessions(shared.sessions, shared.rcu),
      engine_(crypto::make_engine("libsodium")),
      number_(number) {
  shared.pool = pool;
  shared.listen_ports = {kUdpPort};
  shared.ports[0].gateway4 = shared.ports[0].gateway6 = 0;
  shared.ports[0].mtu = 1500;
  shared.mac1_key = crypto::mac1_key(identity.public_key);
  protocol = std::make_unique<ctrl::Protocol>(shared, sessions, peers, *this, identity,
                                              handshake_ns, answerer);
}

Side::~Side() {
  for (rte_mbuf* packet : outbox) rte_pktmbuf_free(packet);
}

Endpoint Side::endpoint(bool v6) const { return {address(number_, v6), kUdpPort}; }

ctrl::PeerSpec Side::spec_of(const Side& other, const Options& options) const {
  ctrl::PeerSpec spec;
  spec.name = "peer";
  spec.public_key = other.identity.public_key;
  spec.preshared_key = options.preshared;
  spec.persistent_keepalive = options.keepalive;
  if (options.endpoint) spec.endpoint = other.endpoint(options.v6);
  return spec;
}

uint32_t Side::add_peer(const Side& other, const Options& options) {
  return add_peer(spec_of(other, options), kInside, options.enabled);
}

uint32_t Side::add_peer(const ctrl::PeerSpec& spec, const char* allowed, bool enabled) {
  const dataplane::Prefix prefixes_of_peer[] = {*dataplane::parse_prefix(allowed)};
  const auto peer = peers.add(0, prefixes_of_peer);
  CPPUNIT_ASSERT(peer);
  protocol->add_peer(*peer, spec, enabled);
  return *peer;
}

void Side::remove_peer(uint32_t peer) {
  protocol->remove_peer(peer);
  peers.remove(peer);
}

void Side::send(rte_mbuf* packet, uint16_t, uint16_t) { outbox.push_back(packet); }

std::optional<ctrl::PacketSender::Hop> Side::route(const IpAddr& remote, const IpAddr* local,
                                                   const uint16_t* port) {
  if (!routable) return std::nullopt;
  const IpAddr ours =
      local != nullptr && !local->is_unspecified() ? *local : address(number_, !remote.is_v4());
  return Hop{port != nullptr ? *port : uint16_t{0}, next_adjacency, 1500, ours};
}

Session* Side::current(uint32_t peer) {
  return shared.sessions.find(shared.peers[peer].current.load(kRelaxed));
}

void Side::punt(uint32_t peer, const Bytes& packet) {
  protocol->handle(
      dataplane::Punt{make_mbuf(shared.pool, packet), PuntReason::kNoSession, 0, 0, peer}, now);
}

void Side::send(uint32_t peer, const Bytes& packet) {
  Session* s = dataplane::session_to_send(shared.peers[peer], shared.sessions);
  dataplane::PeerPath room;
  const dataplane::PeerPath* path = dataplane::way_to(shared, shared.peers[peer], s, room);
  if (s == nullptr || s->reject_tsc <= now.tsc ||
      s->send_counter.load(kRelaxed) >= crypto::kRejectAfterMessages) {
    punt(peer, packet);
    return;
  }
  rte_mbuf* mbuf = make_mbuf(shared.pool, packet);
  crypto::AeadPacket text;
  dataplane::encapsulate(mbuf, *s, *path, s->send_counter.fetch_add(1), text);
  engine_->seal_burst({&text, 1});
  dataplane::finish_encapsulation(mbuf, *path, shared.ports[0]);
  s->tx_packets += 1;
  s->tx_bytes += packet.size();
  s->tx_tsc = now.tsc;
  s->tx_data_tsc = now.tsc;
  outbox.push_back(mbuf);
}

void Side::hear(const Bytes& message, const Endpoint& from) { hear_together({{message, from}}); }

void Side::hear_together(const std::vector<Heard>& messages) {
  std::vector<dataplane::Punt> punts;
  for (const auto& [message, from] : messages) {
    const auto path = dataplane::make_path(from, endpoint(), 0, 0, 1500);
    Bytes frame(14 + 28);
    std::memcpy(&frame[14], path.header, 28);
    frame[14 + 24] = static_cast<uint8_t>((8 + message.size()) >> 8);
    frame[14 + 25] = static_cast<uint8_t>(8 + message.size());
    frame.insert(frame.end(), message.begin(), message.end());
    rte_mbuf* mbuf = make_mbuf(shared.pool, frame);
    mbuf->port = 0;  // as a worker leaves it
    punts.push_back({mbuf, PuntReason::kHandshake, 0, 0, 0});
  }
  protocol->handle(punts, now);
}

void Side::receive(rte_mbuf* packet, uint16_t port) {
  CPPUNIT_ASSERT(rte_pktmbuf_prepend(packet, RTE_ETHER_HDR_LEN) != nullptr);
  packet->port = port;
  const auto datagram = ctrl::parse_frame(packet, 0);
  CPPUNIT_ASSERT(datagram);
  const Bytes message(datagram->message.begin(), datagram->message.end());
  if (crypto::load_le32(message.data()) == static_cast<uint32_t>(MessageType::kTransport)) {
    open(packet, message, datagram->remote, datagram->local);
    rte_pktmbuf_free(packet);
    return;
  }
  const bool cookie = message.size() == sizeof(crypto::MessageCookieReply);
  if (!cookie && !crypto::check_mac1(shared.mac1_key, message)) {
    rte_pktmbuf_free(packet);
    return;
  }
  const bool initiation =
      crypto::load_le32(message.data()) == static_cast<uint32_t>(MessageType::kInitiation);
  const bool expected = !initiation || shared.known_sources.has(datagram->remote.addr, now.tsc);
  const PuntReason reason = expected ? PuntReason::kExpected : PuntReason::kHandshake;
  protocol->handle(dataplane::Punt{packet, reason, 0, 0, 0}, now);
}

void Side::open(rte_mbuf* frame, const Bytes& message, const Endpoint& from, const Endpoint& to) {
  const uint32_t index = crypto::load_le32(message.data() + 4);
  Session* s = shared.sessions.find(index);
  if (s == nullptr || s->reject_tsc <= now.tsc) return;
  Bytes sealed(message.begin() + sizeof(crypto::MessageTransport), message.end());
  const auto length = static_cast<uint32_t>(sealed.size() - crypto::kTagBytes);
  crypto::AeadPacket text{s->receive_key, crypto::load_le64(message.data() + 8), sealed.data(),
                          length, false};
  engine_->open_burst({&text, 1});
  if (!text.authentic) return;
  const std::span words(s->replay_words, shared.sessions.replay_words());
  if (!crypto::ReplayWindow(words, s->replay_front).accept(text.counter)) return;
  s->rx_packets += 1;
  s->rx_bytes += length;
  s->rx_tsc = now.tsc;
  if (length != 0) s->rx_data_tsc = now.tsc;
  inbox.emplace_back(sealed.begin(), sealed.begin() + length);
  dataplane::Event event{index, dataplane::EventKind::kConfirmed};
  if (!s->initiator && !s->confirmed && !lose_events) {
    s->confirmed = true;
    protocol->handle(event, now);
  }
  dataplane::PeerPath room;
  const dataplane::PeerPath* path = dataplane::way_to(shared, shared.peers[s->peer], s, room);
  if (path == nullptr || dataplane::path_remote(*path) != from ||
      dataplane::path_local(*path) != to) {
    see(*s, {from, to, frame->port});
  }
}

void Side::see(Session& s, const dataplane::Sighting& seen) {
  shared.sessions.move(s, now.tsc, shared.peers[s.peer].placed, seen);
  if (lose_events) return;
  protocol->handle(dataplane::Event{s.index, dataplane::EventKind::kMoved}, now);
}

Lab::Lab(const dataplane::Sizes& sizes, uint64_t handshake_ns, ctrl::Answerer* answerer) {
  static unsigned labs = 0;
  const std::string name = "protocol_lab_" + std::to_string(labs++);
  pool =
      rte_pktmbuf_pool_create(name.c_str(), 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  CPPUNIT_ASSERT(pool != nullptr);
  a = std::make_unique<Side>(uint8_t{1}, now, sizes, pool, handshake_ns, nullptr);
  b = std::make_unique<Side>(uint8_t{2}, now, sizes, pool, handshake_ns, answerer);
}

Lab::~Lab() {
  close();
  rte_mempool_free(pool);
}

void Lab::introduce(const Side::Options& of_a, const Side::Options& of_b) {
  peer_of_a = a->add_peer(*b, of_a);
  peer_of_b = b->add_peer(*a, of_b);
}

void Lab::carry(Side& from, Side& to) {
  std::vector<rte_mbuf*> packets;
  packets.swap(from.outbox);
  pass(kMicrosecond);  // nothing arrives when it was sent
  for (rte_mbuf* packet : packets) {
    const Message message = message_of(packet);
    wire.emplace_back(&from, message);
    if (message.type == MessageType::kTransport) {
      const uint32_t receiver = crypto::load_le32(message.bytes.data() + 4);
      const uint64_t counter = crypto::load_le64(message.bytes.data() + 8);
      CPPUNIT_ASSERT_MESSAGE("a nonce was used twice",
                             nonces_.emplace(&from, receiver, counter).second);
    }
    if (lose && lose(from, message)) {
      rte_pktmbuf_free(packet);
      continue;
    }
    if (from.translated) {
      auto* source = rte_pktmbuf_mtod_offset(packet, uint8_t*, 12);
      std::memcpy(source, &from.translated->bytes[12], 4);
    }
    to.receive(packet);
  }
}

void Lab::out_of_step() {
  pass(100 * kMillisecond);
  a->protocol->tick(now);
}

void Lab::pass(uint64_t ns) {
  now.ns += ns;
  now.tsc += ns;
  now.unix_ns += ns;
}

void Lab::deliver() {
  while (!a->outbox.empty() || !b->outbox.empty()) {
    carry(*a, *b);
    carry(*b, *a);
  }
}

void Lab::advance(uint64_t ns, uint64_t step) {
  for (uint64_t passed = 0; passed < ns; passed += step) {
    pass(step);
    for (Side* side : {a.get(), b.get()}) {
      side->protocol->finish_answers(16, now);
      side->protocol->tick(now);
      side->shared.rcu.poll();
    }
    deliver();
  }
}

void Lab::connect() {
  a->send(peer_of_a, inner_packet(64, 1));
  deliver();
  CPPUNIT_ASSERT(a->current(peer_of_a) != nullptr);
  CPPUNIT_ASSERT(b->current(peer_of_b) != nullptr);
}

size_t Lab::seen(const Side& side, MessageType type) const {
  size_t count = 0;
  for (const auto& [from, message] : wire) count += from == &side && message.type == type;
  return count;
}

unsigned Lab::close() {
  a.reset();
  b.reset();
  return buffers_in_use();
}

unsigned Lab::buffers_in_use() const { return rte_mempool_in_use_count(pool); }

Message message_of(const rte_mbuf* packet) {
  const auto* at = rte_pktmbuf_mtod(packet, const uint8_t*);
  const size_t header = *at >> 4 == 4 ? 28 : 48;
  Message out;
  out.bytes.assign(at + header, at + rte_pktmbuf_data_len(packet));
  out.type = static_cast<MessageType>(out.bytes[0]);
  return out;
}

Bytes junk_initiation() {
  Bytes out(sizeof(crypto::MessageInitiation), 0x5a);
  crypto::store_le32(out.data(), static_cast<uint32_t>(MessageType::kInitiation));
  return out;
}

Bytes inner_packet(size_t bytes, uint8_t mark, const char* to) {
  Bytes out(bytes, mark);
  std::memcpy(&out[16], &dataplane::parse_ip(to)->bytes[12], 4);
  out[0] = 0x45;
  out[2] = static_cast<uint8_t>(bytes >> 8);
  out[3] = static_cast<uint8_t>(bytes);
  return out;
}

}  // namespace wirelay::test
