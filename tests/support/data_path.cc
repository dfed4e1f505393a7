// A whole data path in one process, see data_path.h.
#include "tests/support/data_path.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>

#include <rte_mempool.h>

#include "crypto/wire.h"
#include "dataplane/net/headers.h"
#include "tests/support/visible_order.h"

namespace wirelay::test {

namespace {

using namespace dataplane;

constexpr uint16_t kMtu = 1500;

PortAddress address(const char* text, const char* network) { return {addr(text), prefix(network)}; }

/// The n-th address behind `base`, with carry.
IpAddr numbered(const char* base, uint32_t n) {
  IpAddr a = addr(base);
  for (size_t i = a.bytes.size() - 1; n != 0; --i) {
    n += a.bytes[i];
    a.bytes[i] = static_cast<uint8_t>(n);
    n >>= 8;
  }
  return a;
}

uint64_t mac_word(const Mac& mac) {
  uint64_t word = 0;
  std::memcpy(&word, mac.data(), mac.size());
  return word | Adjacency::kResolved;
}

}  // namespace

Bytes bytes_of(const rte_mbuf* mbuf) {
  const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
  return {data, data + mbuf->data_len};
}

DataPath::DataPath(const DataPathOptions& options)
    : shared(std::make_unique<Shared>(options.sizes, options.workers, kHz)),
      prefixes(std::make_unique<PrefixWriter>(shared->prefixes, shared->rcu)),
      peers(std::make_unique<PeerWriter>(shared->peers, *prefixes, shared->rcu)),
      sessions(std::make_unique<SessionWriter>(shared->sessions, shared->rcu)),
      engine_(crypto::make_engine("libsodium")) {
  static std::atomic<unsigned> number{0};
  const std::string name = "lab_pool" + std::to_string(number++);
  make_pools_visible();
  pool = create_pool(name.c_str(), options.mbufs, kMtu, options.workers);
  shared->pool = pool;
  shared->tunnel_addresses = {addr("10.0.0.1"), addr("fd00::1")};
  open_ports(options);
  publish_routes();
  if (options.nat) start_nat(*options.nat);
  const auto queues = assign_queues(shared->ports, options.workers);
  for (unsigned w = 0; w < options.workers; ++w) {
    workers.push_back(std::make_unique<Worker>(w, *shared, crypto::make_engine(options.engine),
                                               queues[w], Polling::kBusy));
  }
}

DataPath::~DataPath() {
  for (unsigned w = 0; w < workers.size(); ++w) {
    discard_punts(w);
    rte_mbuf* mbuf = nullptr;
    while (shared->mailboxes[w]->handoff.pop_burst(&mbuf, 1) == 1) rte_pktmbuf_free(mbuf);
    while (shared->mailboxes[w]->transmit.pop_burst(&mbuf, 1) == 1) rte_pktmbuf_free(mbuf);
    Stray stray{};
    while (shared->mailboxes[w]->strays.pop_burst(&stray, 1) == 1) rte_pktmbuf_free(stray.mbuf);
  }
  workers.clear();
  ports.clear();
  peers.reset();
  sessions.reset();
  nat.reset();
  prefixes.reset();
  shared.reset();
  rte_mempool_free(pool);
}

void DataPath::open_ports(const DataPathOptions& options) {
  const std::vector<PortAddress> addresses[2] = {
      {address("192.0.2.1", "192.0.2.0/24"), address("2001:db8:1::1", "2001:db8:1::/64"),
       address("fe80::1", "fe80::/64")},
      {address("198.51.100.1", "198.51.100.0/24"), address("2001:db8:2::1", "2001:db8:2::/64")}};
  for (unsigned i = 0; i < 2; ++i) {
    ports.push_back(std::make_unique<RingPort>(options.queues, options.port_ring));
    Port& p = port(i);
    p.id = ports[i]->id();
    p.name = "port" + std::to_string(i);
    p.mtu = kMtu;
    p.addresses = addresses[i];
    open_port(p, plan_port(device_info(p), {.workers = options.workers}), Interface::kOurs, pool);
    make_port_visible(p.id, options.queues);
    // Ring ports have no address of their own.
    p.mac = {{2, 0, 0, 0, 1, static_cast<uint8_t>(i)}};
  }
}

void DataPath::publish_routes() {
  shared->adjacencies[kOutside].port = ports[0]->id();
  shared->adjacencies[kOutside].mac_word = mac_word(kPeerMac);
  shared->adjacencies[kGateway].port = ports[1]->id();
  shared->adjacencies[kGateway].mac_word = mac_word(kGatewayMac);
  shared->adjacencies[kUnresolved].port = ports[1]->id();
  for (const char* text : {"0.0.0.0/0", "::/0"}) {
    prefixes->set(prefix(text), RouteTarget::make(RouteKind::kVia, kGateway));
  }
  for (const char* text : {"192.0.2.0/24", "2001:db8:1::/64"}) {  // all of them are resolved
    prefixes->set(prefix(text), RouteTarget::make(RouteKind::kVia, kOutside));
  }
  for (const char* text : {"198.51.100.0/24", "2001:db8:2::/64"}) {
    prefixes->set(prefix(text), RouteTarget::make(RouteKind::kConnected, ports[1]->id()));
  }
  for (const char* text :
       {"192.0.2.1", "2001:db8:1::1", "198.51.100.1", "2001:db8:2::1", "10.0.0.1", "fd00::1"}) {
    prefixes->set(prefix(text), RouteTarget::make(RouteKind::kLocal));
  }
}

Client DataPath::add_client(bool v6, uint32_t owner, bool initiator) {
  const uint32_t n = ++clients_;
  Client c;
  c.user = n;
  c.inner4 = numbered("10.0.1.0", n);
  c.inner6 = numbered("fd00::100", n);
  c.endpoint = {v6 ? numbered("2001:db8:1::100", n) : numbered("192.0.2.100", n),
                static_cast<uint16_t>(40000 + n)};
  const Prefix allowed[] = {{c.inner4, 128}, {c.inner6, 128}};
  c.peer = peers->add(c.user, allowed).value();
  shared->users.reset(c.user, shared->users.time(now));
  const PeerPath path = make_path(relay_endpoint(v6), c.endpoint, ports[0]->id(), kOutside, kMtu);
  peers->set_path(c.peer, &path);
  new_session(c, owner, initiator);
  return c;
}

void DataPath::new_session(Client& client, uint32_t owner, bool initiator) {
  crypto::TransportKeys keys;
  crypto::random_bytes({keys.send.data(), keys.send.size()});
  crypto::random_bytes({keys.receive.data(), keys.receive.size()});
  keys.local_index = sessions->reserve(client.peer, owner).value();
  keys.remote_index = 0x5000 + client.peer;
  keys.initiator = initiator;
  sessions->publish(keys, now + crypto::kRejectAfterTime * kHz);
  peers->set_current(client.peer, keys.local_index);
  client.index = keys.local_index;
  client.keys = keys;
  client.counter = 0;
}

void DataPath::limit(const Client& client, const UserLimits& limits) {
  shared->users.set_limits(client.user, limits, shared->users.time(now));
}

void DataPath::give_quota(const Client& client, const QuotaLimits& limits) {
  shared->users.set_quota(client.user, limits, shared->users.time(now));
}

Session& DataPath::session(const Client& client) { return *shared->sessions.find(client.index); }

Endpoint DataPath::relay_endpoint(bool v6) const {
  return {addr(v6 ? "2001:db8:1::1" : "192.0.2.1"), shared->listen_ports.front()};
}

Mac DataPath::mac(unsigned i) {
  Mac m;
  std::memcpy(m.data(), port(i).mac.addr_bytes, m.size());
  return m;
}

Bytes DataPath::seal(Client& client, const Bytes& inner) {
  const size_t padded = (inner.size() + 15) / 16 * 16;
  Bytes message(16 + padded + crypto::kTagBytes);
  message[0] = static_cast<uint8_t>(crypto::MessageType::kTransport);
  crypto::store_le32(&message[4], client.keys.local_index);
  crypto::store_le64(&message[8], client.counter);
  std::copy(inner.begin(), inner.end(), message.begin() + 16);
  crypto::AeadPacket packet{client.keys.receive.data(), client.counter++, &message[16],
                            static_cast<uint32_t>(padded), false};
  engine_->seal_burst({&packet, 1});
  return message;
}

Bytes DataPath::from_client(const Client& client, const Bytes& message) {
  const bool v6 = !client.endpoint.addr.is_v4();
  return ethernet(mac(0), kPeerMac, v6 ? kTypeIpv6 : kTypeIpv4,
                  udp(client.endpoint, relay_endpoint(v6), message));
}

Bytes DataPath::from_gateway(const Bytes& packet) {
  return ethernet(mac(1), kGatewayMac, packet[0] >> 4 == 6 ? kTypeIpv6 : kTypeIpv4, packet);
}

std::optional<Opened> DataPath::open(const Client& client, const Bytes& frame) const {
  const Parsed outer = parse_ip_packet(parse_frame(frame).payload);
  Bytes message = outer.payload;
  const bool for_client = outer.valid && outer.protocol == kUdp &&
                          outer.to == client.endpoint.addr &&
                          outer.to_port == client.endpoint.port && message.size() >= 32 &&
                          crypto::load_le32(message.data()) == 4 &&
                          crypto::load_le32(&message[4]) == client.keys.remote_index;
  if (!for_client) return std::nullopt;
  crypto::AeadPacket packet{client.keys.send.data(), crypto::load_le64(&message[8]), &message[16],
                            static_cast<uint32_t>(message.size() - 32), false};
  engine_->open_burst({&packet, 1});
  if (!packet.authentic) return std::nullopt;
  return Opened{packet.counter, {message.begin() + 16, message.end() - crypto::kTagBytes}};
}

rte_mbuf* DataPath::make_mbuf(const Bytes& bytes) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool);
  if (mbuf == nullptr) throw std::runtime_error("no buffer left");
  char* data = rte_pktmbuf_append(mbuf, static_cast<uint16_t>(bytes.size()));
  if (data == nullptr) throw std::runtime_error("packet too large for a buffer");
  std::copy(bytes.begin(), bytes.end(), data);
  return mbuf;
}

rte_mbuf* DataPath::feed(unsigned number, const Bytes& frame, uint16_t queue) {
  rte_mbuf* mbuf = make_mbuf(frame);
  if (!ports[number]->feed(mbuf, queue)) throw std::runtime_error("receive queue full");
  return mbuf;
}

void DataPath::poll() {
  unsigned moved = 1;
  while (moved != 0) {
    moved = 0;
    for (auto& worker : workers) moved += worker->poll(now);
    for (unsigned w = 0; nat != nullptr && w < workers.size(); ++w) moved += serve_blocks(w);
  }
}

void DataPath::start_nat(const NatSettings& settings) {
  shared->nat = std::make_unique<NatTable>(settings, shared->users.capacity());
  nat = std::make_unique<NatWriter>(
      *shared->nat, shared->rcu,
      [this](const NatBlockRecord& record) { nat_records.push_back(record); });
  port(1).translates = true;
  for (const NatStatic& rule : settings.statics) {
    if (rule.protocol != 0) continue;
    prefixes->set({IpAddr::v4(&rule.address), 128}, RouteTarget::make(RouteKind::kPublic));
  }
  for (const Prefix& public_prefix : settings.pools) {
    if (!prefixes->get(public_prefix))
      prefixes->set(public_prefix, RouteTarget::make(RouteKind::kPublic));
  }
}

/// Returns how many packets were given back.
unsigned DataPath::serve_blocks(unsigned worker) {
  Ring<Punt>& waiting = shared->mailboxes[worker]->waiting;
  std::vector<Punt> others;
  unsigned served = 0;
  for (Punt punt{}; waiting.pop_burst(&punt, 1) == 1;) {
    if (punt.reason == PuntReason::kNoBlock) {
      serve_block(punt);
      ++served;
    } else {
      others.push_back(punt);
    }
  }
  for (const Punt& punt : others) waiting.push(punt);
  return served;
}

void DataPath::serve_block(const Punt& punt) {
  const IpAddr from = source_of(rte_pktmbuf_mtod(punt.mbuf, const uint8_t*));
  const uint32_t user = shared->peers[shared->prefixes.lookup(from).id()].user;
  if (const auto owner = nat->serve(user, punt.worker)) {
    shared->mailboxes[*owner]->strays.push({punt.mbuf, punt.mbuf->port, true});
  } else {
    shared->mailboxes[punt.worker]->refused.push({punt.mbuf, Drop::kNatNoBlock});
  }
}

std::vector<Bytes> DataPath::sent(unsigned number) {
  std::vector<Bytes> frames;
  for (rte_mbuf* mbuf : ports[number]->take()) {
    frames.push_back(bytes_of(mbuf));
    rte_pktmbuf_free(mbuf);
  }
  return frames;
}

uint64_t DataPath::drops(Drop drop) const {
  uint64_t sum = 0;
  for (const auto& worker : workers) sum += worker->counters.drops[static_cast<size_t>(drop)].get();
  return sum;
}

uint64_t DataPath::all_drops() const {
  uint64_t sum = 0;
  for (size_t d = 0; d < kDropCount; ++d) sum += drops(static_cast<Drop>(d));
  return sum;
}

std::string DataPath::drop_text() const {
  std::string text;
  for (size_t d = 0; d < kDropCount; ++d) {
    const uint64_t count = drops(static_cast<Drop>(d));
    if (count != 0) text += std::string(kDrops[d].name) + "=" + std::to_string(count) + " ";
  }
  return text;
}

std::vector<Punt> DataPath::punts(unsigned worker) {
  std::vector<Punt> all;
  Punt punt;
  Mailbox& mailbox = *shared->mailboxes[worker];
  for (Ring<Punt>* ring :
       {&mailbox.discovery, &mailbox.expected, &mailbox.handshakes, &mailbox.waiting}) {
    while (ring->pop_burst(&punt, 1) == 1) all.push_back(punt);
  }
  return all;
}

std::vector<Event> DataPath::events(unsigned worker) {
  std::vector<Event> all;
  Event event;
  while (shared->mailboxes[worker]->events.pop_burst(&event, 1) == 1) all.push_back(event);
  return all;
}

size_t DataPath::discard_punts(unsigned worker) {
  const std::vector<Punt> all = punts(worker);
  for (const Punt& punt : all) rte_pktmbuf_free(punt.mbuf);
  return all.size();
}

uint32_t DataPath::mbufs_in_use() const { return rte_mempool_in_use_count(pool); }

}  // namespace wirelay::test
