// Protects the whole way of a packet through relaygen, against an endpoint in miniature: handshakes
// with cookies and retransmission, rounds that never use a nonce twice, and each fault of the far
// end (loss, duplicates, reordering, damage, wrong addresses) counted as what it is.
#include <algorithm>
#include <memory>
#include <numeric>
#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/tools/relaygen/far_end.h"
#include "tools/relaygen/clients.h"
#include "tools/relaygen/handshaker.h"
#include "tools/relaygen/peers_command.h"
#include "tools/relaygen/port.h"
#include "tools/relaygen/receiver.h"
#include "tools/relaygen/round.h"

namespace wirelay::relaygen {

namespace {

constexpr uint32_t kPeers = 6;

rte_mempool* packets() {
  static rte_mempool* pool =
      rte_pktmbuf_pool_create("traffic_test", 16383, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM, 0);
  return pool;
}

PortOptions port_options(const char* role, const char* addr) {
  PortOptions options;
  options.role = options.device = role;
  options.addresses = {parse_interface("ip", addr)};
  options.gateway_mac = rte_ether_addr{{2, 0, 0, 0, 0, 9}};
  return options;
}

std::vector<Identity> identities() {
  PeersOptions options;
  options.count = kPeers;
  options.prefixes = {dataplane::parse_prefix("10.64.0.0/24").value()};
  options.preshared = true;
  return make_identities(options);
}

/// relaygen's parts between the rings of a far end.
struct Setup {
  explicit Setup(double retry = 5, double give_up = 60)
      : peers(identities()),
        far(peers, packets()),
        remote(dataplane::parse_endpoint("198.51.100.1:51820").value()),
        tunnel(port_options("tunnel", "198.51.100.2/24"), far.tunnel.id(), 1600, packets(), 0),
        plain(port_options("plain", "192.0.2.1/24"), far.plain.id(), 1600, packets(), 0),
        clients(peers, far.public_key(), dataplane::parse_prefix("198.51.100.2").value(),
                Family::k4, {dataplane::parse_ip("192.0.2.1").value()}),
        engine(crypto::make_engine("libsodium")),
        side(tunnel, remote),
        handshaker(clients, side, *engine, {.window = 4, .retry = retry, .give_up = give_up}),
        receiver(clients, handshaker, *engine, tunnel, &plain, remote, 1),
        maker(clients, *engine, packets(), tunnel, &plain, remote, 1420) {}

  HandshakeResult bring_up(bool ahead = false) {
    std::vector<uint32_t> all(kPeers);
    std::iota(all.begin(), all.end(), 0u);
    const auto result = handshaker.bring_up(
        all, ahead,
        [this] {
          far.step();
          return receiver.poll();
        },
        progress);
    far.step();
    return result;
  }

  /// Sends a round; what reaches the far end stands in its `inner` or comes by take_plain().
  void send_round(Mode mode, uint32_t count) {
    Spread spread(Spread::Kind::kRoundRobin, kPeers, 0);
    maker.make(round, count, mode, SizeMix::parse("imix"), spread, random, std::nullopt);
    receiver.expect(round, mode, 0, false);
    Port& port = mode == Mode::kDown ? plain : tunnel;
    for (uint32_t at = 0; at < count;) {
      const auto burst = static_cast<uint16_t>(std::min<uint32_t>(kBurst, count - at));
      at += port.send(&round.frames[at], burst);
    }
    far.inner.clear();
    far.inner_peers.clear();
    far.step();
  }

  Counts receive_all() {
    while (receiver.poll() > 0) {
    }
    return receiver.take_counts();
  }

  Progress progress;
  std::vector<Identity> peers;
  FarEnd far;
  dataplane::Endpoint remote;
  Port tunnel, plain;
  Clients clients;
  std::unique_ptr<crypto::AeadEngine> engine;
  TunnelSide side;
  Handshaker handshaker;
  Receiver receiver;
  RoundMaker maker;
  Round round;
  Random random{1};
};

class TrafficTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TrafficTest);
  CPPUNIT_TEST(all_clients_come_up_and_confirm);
  CPPUNIT_TEST(handshakes_made_ahead_come_up_as_well);
  CPPUNIT_TEST(cookies_are_answered);
  CPPUNIT_TEST(cookies_without_end_are_given_up);
  CPPUNIT_TEST(forged_responses_hinder_nobody);
  CPPUNIT_TEST(lost_initiations_are_repeated);
  CPPUNIT_TEST(silence_is_told);
  CPPUNIT_TEST(no_nonce_is_used_twice);
  CPPUNIT_TEST(up_is_verified);
  CPPUNIT_TEST(faults_on_the_plain_side);
  CPPUNIT_TEST(down_and_hub_are_verified);
  CPPUNIT_TEST(faults_on_the_tunnel_side);
  CPPUNIT_TEST(packets_of_an_earlier_round_are_late);
  CPPUNIT_TEST(far_end_may_renew_keys);
  CPPUNIT_TEST_SUITE_END();

  void all_clients_come_up_and_confirm() {
    Setup s;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.initiations);
    CPPUNIT_ASSERT_EQUAL(kPeers, s.far.keepalives);
    CPPUNIT_ASSERT_EQUAL(0u, s.far.forged);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.latency.total());
  }

  void handshakes_made_ahead_come_up_as_well() {
    Setup s;
    CPPUNIT_ASSERT_EQUAL(kPeers, s.bring_up(true).done);
    CPPUNIT_ASSERT_EQUAL(kPeers, s.far.keepalives);
  }

  void cookies_are_answered() {
    Setup s;
    s.far.demand_cookies = true;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.cookies);
    CPPUNIT_ASSERT_EQUAL(2 * kPeers, s.far.initiations);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, result.repeated);
  }

  void cookies_without_end_are_given_up() {
    Setup s(0.1, 0.3);
    s.far.believe_no_cookie = true;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(0u, result.done);
    // One more for each cookie that a new initiation meets, not one for each cookie.
    CPPUNIT_ASSERT_EQUAL(2 * (kPeers + result.repeated), result.initiations);
    CPPUNIT_ASSERT_EQUAL(result.initiations, result.cookies);
  }

  void forged_responses_hinder_nobody() {
    Setup s;
    s.far.forge_responses = true;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.refused);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.initiations);
  }

  void lost_initiations_are_repeated() {
    Setup s(0.05);
    s.far.ignored_initiations = 3;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT(result.repeated >= 3);
  }

  void silence_is_told() {
    Setup s(0.1, 0.3);
    s.far.ignored_initiations = UINT32_MAX;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(0u, result.done);
    CPPUNIT_ASSERT_EQUAL(kPeers, result.wanted);
  }

  void no_nonce_is_used_twice() {
    Setup s;
    s.bring_up();
    for (int i = 0; i < 3; ++i) s.send_round(Mode::kUp, 200);
    s.send_round(Mode::kHub, 200);
    CPPUNIT_ASSERT_EQUAL(size_t{kPeers}, s.far.counters.size());
    for (auto& [index, counters] : s.far.counters) {
      std::set<uint64_t> distinct(counters.begin(), counters.end());
      CPPUNIT_ASSERT_EQUAL(counters.size(), distinct.size());
      CPPUNIT_ASSERT_EQUAL(uint64_t{counters.size() - 1}, *distinct.rbegin());
    }
  }

  void up_is_verified() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kUp, 500);
    CPPUNIT_ASSERT_EQUAL(size_t{500}, s.far.inner.size());
    for (const Bytes& packet : s.far.inner) s.far.send_plain(packet);
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{500}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{500}, counts.verified);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.corrupt() + counts.duplicates + counts.reordered);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.late + counts.other);
  }

  void faults_on_the_plain_side() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kUp, 60);
    auto& inner = s.far.inner;
    inner.push_back(inner[0]);                            // a duplicate
    std::swap(inner[1], inner[1 + kPeers]);               // overtaken by the next one of its flow
    inner[20].at(28 + kProbeBytes) ^= 1;                  // damage behind the probe
    inner[21].at(28 + 8) ^= 1;                            // the probe itself
    inner[22].at(15) ^= 1;                                // source address
    inner[23].at(19) ^= 1;                                // destination address
    inner[24].at(10) ^= 1;                                // the header's checksum
    inner.erase(inner.begin() + 30, inner.begin() + 40);  // lost
    for (const Bytes& packet : inner) s.far.send_plain(packet);
    s.far.send_plain(Bytes(60, 0x45));  // nothing of ours
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{51}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.duplicates);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.reordered);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, counts.bad_payload);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, counts.bad_address);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_checksum);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.other);
  }

  void down_and_hub_are_verified() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kDown, 120);
    for (const Bytes& frame : s.far.take_plain()) {
      const Bytes packet(frame.begin() + kEthernetBytes, frame.end());
      s.far.send_sealed(packet[19] - 2u, packet);  // 10.64.0.2 is peer 0
    }
    Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{120}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{120}, counts.verified);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.corrupt() + counts.duplicates + counts.reordered);

    s.send_round(Mode::kHub, 120);
    for (const Bytes& packet : s.far.inner) s.far.send_sealed(packet[19] - 2u, packet);
    counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{120}, counts.verified);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.corrupt());
    for (size_t i = 0; i < s.far.inner.size(); ++i) {
      CPPUNIT_ASSERT(s.far.inner[i][19] - 2u != s.far.inner_peers[i]);
    }
  }

  void faults_on_the_tunnel_side() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kDown, 60);
    std::vector<Bytes> sealed;
    for (const Bytes& frame : s.far.take_plain()) {
      Bytes packet(frame.begin() + kEthernetBytes, frame.end());
      const uint32_t peer = packet[19] - 2u;
      const size_t at = sealed.size();
      if (at == 10) packet.at(28 + kProbeBytes) ^= 1;             // changed before it was sealed
      sealed.push_back(s.far.seal(at == 11 ? 0 : peer, packet));  // to another client
    }
    sealed[12].back() ^= 1;                                  // a wrong tag
    std::swap(sealed[1], sealed[1 + kPeers]);                // reordered
    sealed.push_back(sealed[2]);                             // a duplicate
    sealed.erase(sealed.begin() + 30, sealed.begin() + 35);  // lost
    for (const Bytes& frame : sealed) s.far.send_tunnel(frame);
    s.far.send_sealed(3, {});  // a keepalive
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{56}, counts.received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.duplicates);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.reordered);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_tag);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_payload);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.bad_address);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.keepalives);
  }

  void packets_of_an_earlier_round_are_late() {
    Setup s;
    s.bring_up();
    s.send_round(Mode::kUp, 10);
    const auto old = s.far.inner;
    s.send_round(Mode::kUp, 10);
    for (const Bytes& packet : old) s.far.send_plain(packet);
    const Counts counts = s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, counts.late);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.received);
  }

  void far_end_may_renew_keys() {
    Setup s;
    s.bring_up();
    s.far.initiate(2);
    s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, s.handshaker.answered());
    const uint32_t before = s.clients.session(2).local_index;
    s.far.step();              // takes our response
    s.far.send_sealed(2, {});  // its first packet under the new keys
    s.receive_all();
    CPPUNIT_ASSERT(s.clients.session(2).local_index != before);
    s.send_round(Mode::kUp, 4 * kPeers);
    CPPUNIT_ASSERT_EQUAL(size_t{4 * kPeers}, s.far.inner.size());
    CPPUNIT_ASSERT_EQUAL(0u, s.far.forged);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TrafficTest);

}  // namespace

}  // namespace wirelay::relaygen
