// Fuzzes the neighbours as a whole: ARP and neighbour discovery, packets that wait, paths, worker's
// use and time, in any order. An input is a list of events, see apply(); make_neighbour_seeds.py
// writes the seeds. Whatever happens, no buffer is lost, what waits and what is known stays within
// its bounds, and nothing leads to an address of our own, to a group or to another port.
#include <array>
#include <cstdlib>
#include <cstring>

#include <rte_mempool.h>

#include "ctrl/base/log.h"
#include "ctrl/neighbour/neighbours.h"
#include "tests/fuzz/target.h"
#include "tests/support/packets.h"
#include "tests/support/test_environment.h"

using namespace wirelay;
using namespace wirelay::test;
using dataplane::IpAddr;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint16_t kNeighbours = 48, kPorts = 2;
constexpr std::array<Mac, 7> kMacs = {
    Mac{2, 0, 0, 0, 0, 1}, Mac{2, 0, 0, 0, 0, 2},  // ours
    Mac{2, 0, 0, 0, 1, 1}, Mac{2, 0, 0, 0, 1, 2}, kBroadcast, Mac{}, Mac{1, 0, 0x5e, 0, 0, 1}};
constexpr std::array kHosts = {
    "192.0.2.1",      "198.51.100.1",    "192.0.2.254",    "198.51.100.254",
    "192.0.2.9",      "192.0.2.255",     "10.9.0.1",       "0.0.0.0",
    "2001:db8:1::1",  "fe80::ff:fe00:1", "2001:db8:1::fe", "::",
    "2001:db8:1::50", "fe80::50",        "ff02::1",        "8.8.8.8"};

/// What the seeds should have reached.
struct Reached {
  bool resolved = false, silent = false, failed = false, full = false, moved = false,
       conflict = false, answered = false, no_route = false, given_up = false;
};
Reached reached;

void require(bool holds) {
  if (!holds) std::abort();
}

/// The rest of an input; zeros behind its end.
struct Input {
  const uint8_t* at;
  const uint8_t* end;
  uint8_t byte() { return at == end ? 0 : *at++; }
  Bytes take(size_t bytes) {
    Bytes out;
    while (out.size() < bytes && at != end) out.push_back(*at++);
    return out;
  }
  const Mac& mac() { return kMacs[byte() % kMacs.size()]; }
  /// One of those above, or any of a network's.
  IpAddr host() {
    const uint8_t which = byte();
    if (which < kHosts.size()) return addr(kHosts[which]);
    IpAddr out = addr((which & 1) != 0   ? "2001:db8:1::"
                      : (which & 2) != 0 ? "192.0.2.0"
                                         : "198.51.100.0");
    out.bytes[15] = which;
    return out;
  }
};

ctrl::PortConfig port_config(const char* name, const std::vector<const char*>& addresses,
                             const std::vector<const char*>& gateways) {
  ctrl::PortConfig out;
  out.name = name;
  out.mtu = 1500;
  for (const std::string text : addresses) {
    dataplane::PortAddress a;
    a.addr = addr(text.substr(0, text.find('/')).c_str());
    a.network = prefix(text.c_str());
    out.addresses.push_back(a);
  }
  for (const char* gateway : gateways) out.gateways.push_back(addr(gateway));
  return out;
}

ctrl::Config make_config() {
  ctrl::Config out;
  out.ports = {
      port_config("wan", {"192.0.2.1/24", "2001:db8:1::1/64"}, {"192.0.2.254", "2001:db8:1::fe"}),
      port_config("inet", {"198.51.100.1/24"}, {"198.51.100.254"})};
  out.routes = {{prefix("10.9.0.0/16"), "wan", addr("192.0.2.9")}};
  return out;
}

rte_mempool* pool() {
  static rte_mempool* const instance = [] {
    start_environment("fuzz_neighbours");
    ctrl::set_log_level(ctrl::LogLevel::kError);
    return rte_pktmbuf_pool_create("fuzz", 511, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  }();
  return instance;
}

/// Made anew for each input, so that none depends on another.
class World {
 public:
  World() : config_(make_config()), shared_(sizes(), 1, kSecond) {
    shared_.pool = pool();
    for (uint16_t i = 0; i < kPorts; ++i) {
      dataplane::Port& port = shared_.ports[i];
      port.id = i;
      port.mtu = *config_.ports[i].mtu;
      port.name = config_.ports[i].name;
      std::memcpy(&port.mac, kMacs[i].data(), kMacs[i].size());
      port.addresses = config_.ports[i].addresses;
    }
    shared_.ports[0].addresses.push_back(ctrl::link_local_address(shared_.ports[0].mac));
    prefixes_ = std::make_unique<dataplane::PrefixWriter>(shared_.prefixes, shared_.rcu);
    neighbours_ = std::make_unique<ctrl::Neighbours>(shared_, *prefixes_, config_);
  }
  ~World() {
    neighbours_.reset();
    drain();
    shared_.rcu.poll();
    require(rte_mempool_in_use_count(pool()) == 0);
  }

  void apply(Input& input);
  void check();

 private:
  static dataplane::Sizes sizes() {
    return {.users = 4,
            .peers = 4,
            .sessions = 16,
            .prefixes = 128,
            .neighbours = kNeighbours,
            .mbufs = 512,
            .punt_ring = 64,
            .handoff_ring = 64,
            .replay_packets = 1024};
  }
  rte_mbuf* mbuf(const Bytes& bytes, uint16_t port) {
    rte_mbuf* out = rte_pktmbuf_alloc(pool());
    require(out != nullptr);
    if (!bytes.empty()) {
      std::memcpy(rte_pktmbuf_append(out, static_cast<uint16_t>(bytes.size())), bytes.data(),
                  bytes.size());
    }
    out->port = port;
    return out;
  }
  void punt(dataplane::PuntReason reason, const Bytes& bytes, uint16_t port,
            uint16_t adjacency = dataplane::kNoAdjacency) {
    neighbours_->handle({mbuf(bytes, port), reason, 0, adjacency, 0}, now_);
  }
  void discover(Input& input, uint16_t port);
  void drain();

  const ctrl::Config config_;
  dataplane::Shared shared_;
  std::unique_ptr<dataplane::PrefixWriter> prefixes_;
  std::unique_ptr<ctrl::Neighbours> neighbours_;
  std::array<unsigned, kNeighbours> holds_{};
  ctrl::Now now_{1000 * kSecond, 1000 * kSecond, 0};
};

/// A well-formed message whose parts the input chooses.
void World::discover(Input& input, uint16_t port) {
  const uint8_t how = input.byte();
  const Mac &mac = input.mac(), &from = (how & 8) != 0 ? input.mac() : mac;
  const IpAddr sender = input.host(), target = input.host();
  const Mac to = (how & 1) != 0 ? kMacs[port] : kBroadcast;
  if ((how & 2) != 0) {
    punt(dataplane::PuntReason::kArp,
         ethernet(to, from, kTypeArp, arp((how & 4) != 0 ? 1 : 2, mac, sender, target)), port);
    return;
  }
  const bool question = (how & 4) != 0;
  Bytes body(4 + 16);
  body[0] = how & 0xe0;
  std::copy_n(target.bytes.begin(), 16, body.begin() + 4);
  if ((how & 16) == 0)
    body = body + Bytes{static_cast<uint8_t>(question ? 1 : 2), 1} + Bytes(mac.begin(), mac.end());
  const Bytes data(body.begin() + 4, body.end());
  const IpAddr destination = (how & 1) != 0 ? addr("2001:db8:1::1") : addr("ff02::1");
  Bytes packet = icmp(sender, destination, question ? 135 : 136, data, 255);
  packet[44] = body[0];  // the flags, which the builder leaves at zero
  const uint32_t sum =
      static_cast<uint16_t>(~(packet[42] << 8 | packet[43])) + (uint32_t{body[0]} << 8);
  const auto checksum = static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16)));
  packet[42] = static_cast<uint8_t>(checksum >> 8);
  packet[43] = static_cast<uint8_t>(checksum);
  punt(dataplane::PuntReason::kNeighbour, ethernet(to, from, kTypeIpv6, packet), port);
}

void World::apply(Input& input) {
  const uint8_t what = input.byte();
  const auto port = static_cast<uint16_t>(what >> 3 & 1);
  const auto number = static_cast<uint16_t>(what >> 4);
  switch (what & 7) {
    case 0:
      return punt(port == 0 ? dataplane::PuntReason::kArp : dataplane::PuntReason::kNeighbour,
                  input.take(input.byte()), number & 1);
    case 1:
    case 2:
      return discover(input, port);
    case 3:
      return punt(dataplane::PuntReason::kUnresolved,
                  test::ip(addr("10.0.0.2"), input.host(), kUdp, {}), port,
                  number == 15 ? dataplane::kNoAdjacency : number);
    case 4:
      return punt(dataplane::PuntReason::kUnresolved, input.take(number), port,
                  number % 2 == 0 ? dataplane::kNoAdjacency : number);
    case 5: {
      now_.ns += (uint64_t{1} << (what >> 3 & 15)) * kSecond / 100;
      neighbours_->tick(now_);
      if ((what & 8) != 0) shared_.rcu.poll();
      return;
    }
    case 6: {
      const auto hop =
          neighbours_->route(input.host(), nullptr, (what & 16) != 0 ? &port : nullptr);
      if (!hop) return;
      if ((what & 32) != 0) {
        ++holds_.at(hop->adjacency);
        neighbours_->hold(hop->adjacency);
      }
      return neighbours_->send(mbuf(test::ip(addr("10.0.0.2"), addr("8.8.8.8"), kUdp, {}), 0),
                               hop->port, hop->adjacency);
    }
    default:
      shared_.adjacencies[number].used.store((what & 8) != 0);
      if ((what & 8) == 0 && holds_[number] != 0) {
        --holds_[number];
        neighbours_->release(number);
      }
  }
}

/// What was sent goes out by the port that it is for, from our address there, and to one host or to
/// those whom we ask.
void World::drain() {
  rte_mbuf* frame;
  while (shared_.mailboxes[0]->transmit.pop_burst(&frame, 1) == 1) {
    const auto* at = rte_pktmbuf_mtod(frame, const uint8_t*);
    require(rte_pktmbuf_data_len(frame) >= 14 && frame->port < kPorts);
    require(std::equal(at + 6, at + 12, kMacs[frame->port].begin()));
    const bool asks = at[12] == 8 ? at[13] == 6 : at[14 + 6] == kIcmp6;
    require((at[0] & 1) == 0 || asks);
    rte_pktmbuf_free(frame);
  }
  dataplane::Refused refused;
  while (shared_.mailboxes[0]->refused.pop_burst(&refused, 1) == 1) {
    require(rte_pktmbuf_data_len(refused.mbuf) != 0);
    rte_pktmbuf_free(refused.mbuf);
  }
}

void World::check() {
  drain();
  require(rte_mempool_in_use_count(pool()) <= pool()->size / 16);
  std::array<size_t, kPorts> known{};
  for (const ctrl::NeighbourStatus& n : neighbours_->status()) {
    ++known[n.port == "inet"];
    if (n.state == "resolved") reached.resolved = true;
    if (n.state == "silent") reached.silent = true;
    if (n.state == "failed") reached.failed = true;
  }
  for (const size_t n : known) require(n <= kNeighbours / kPorts);
  for (uint16_t i = 0; i < kNeighbours; ++i) {
    const uint64_t word = shared_.adjacencies[i].mac_word.load();
    if (word == 0) continue;
    Mac mac;
    std::memcpy(mac.data(), &word, mac.size());
    require(mac != kMacs[0] && mac != kMacs[1] && (mac[0] & 1) == 0 && mac != Mac{});
    require(shared_.adjacencies[i].port < kPorts);
  }
  for (const char* host : kHosts) {
    const dataplane::RouteTarget to = shared_.prefixes.lookup(addr(host));
    if (to.kind() != dataplane::RouteKind::kVia) continue;
    const bool inet = std::strncmp(host, "198.51.100.", 11) == 0;
    const bool wan = std::strncmp(host, "192.0.2.", 8) == 0 || std::strncmp(host, "2001:", 5) == 0;
    if (inet || wan)
      require(shared_.adjacencies[static_cast<uint16_t>(to.id())].port == (inet ? 1 : 0));
  }
  const ctrl::NeighbourCounters& c = neighbours_->counters();
  reached.full |= c.table_full != 0;
  reached.moved |= c.moved != 0;
  reached.conflict |= c.conflicts != 0;
  reached.answered |= c.answered != 0;
  reached.no_route |= c.no_route != 0;
  reached.given_up |= c.held_dropped != 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLongest = 4096;
  if (size > kLongest) return 0;
  pool();
  World world;
  Input input{data, data + size};
  while (input.at != input.end) {
    world.apply(input);
    world.check();
  }
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  if (!reached.answered) return "an answer of ours";
  if (!reached.resolved) return "a neighbour that is there";
  if (!reached.failed) return "a neighbour that is not";
  if (!reached.silent) return "a gateway that falls silent";
  if (!reached.moved) return "a neighbour that moves";
  if (!reached.conflict) return "a lie";
  if (!reached.full) return "a full share of the table";
  if (!reached.no_route) return "a packet for nobody";
  return reached.given_up ? nullptr : "a packet that waits in vain";
}
