// Protects that /metrics tells all that is counted, and of users only those that are named.
#include "ctrl/http/metrics.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/http/readiness.h"
#include "dataplane/drops.h"
#include "dataplane/pipeline.h"
#include "tests/support/fake_relay.h"

namespace wirelay::ctrl::http {
namespace {

using test::FakeRelay;

Facts facts_of(FakeRelay& relay) {
  FactFinder finder;
  while (!finder.run(relay, Slice(std::chrono::nanoseconds(0)))) continue;
  return finder.facts();
}

class MetricsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MetricsTest);
  CPPUNIT_TEST(every_drop_has_a_sample);
  CPPUNIT_TEST(counters_of_all_lists);
  CPPUNIT_TEST(families_stand_together);
  CPPUNIT_TEST(no_series_of_users_unless_named);
  CPPUNIT_TEST(series_of_those_that_are_named);
  CPPUNIT_TEST(a_user_comes_once);
  CPPUNIT_TEST(series_are_bounded);
  CPPUNIT_TEST(what_is_missing);
  CPPUNIT_TEST(workers_that_stand);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    relay_ = std::make_unique<FakeRelay>();
    std::vector<Step> steps;
    for (const std::string name : {"alice", "staff", "staff-bob", "staff-eve", "zoe"}) {
      AddUser user;
      user.spec.name = name;
      AddPeer peer;
      peer.spec.name = name + "-phone";
      peer.spec.user = name;
      peer.spec.public_key = test::test_key(static_cast<uint32_t>(steps.size() + 1));
      steps.push_back({user, "x"});
      steps.push_back({peer, "x"});
    }
    relay_->apply(std::move(steps));
  }

  void every_drop_has_a_sample() {
    relay_->worker.drops[static_cast<size_t>(dataplane::Drop::kBadTag)].add(7);
    const std::string text = metrics();
    for (const auto& drop : dataplane::kDrops) {
      assert_has("relay_drops_total{reason=\"" + std::string(drop.name) + "\"} ", text);
    }
    assert_has("relay_drops_total{reason=\"bad_tag\"} 7\n", text);
  }

  void counters_of_all_lists() {
    relay_->counters.refused_replay = 5;
    relay_->worker.stages[0].cycles.add(1'000'000'000);
    relay_->worker.busy_cycles.add(1'000'000'000);
    relay_->worker.time.add(300, 5);  // ns
    relay_->worker.polls.add(9);
    const std::string text = metrics();
    assert_has("relay_port_rx_packets_total{port=\"wan\"} 1234567\n", text);
    assert_has("relay_worker_polls_total{worker=\"0\"} 9\n", text);
    assert_has("relay_worker_busy_seconds_total{worker=\"0\"} 0.5\n", text);
    assert_has("relay_stage_cycles_total{worker=\"0\",stage=\"" +
                   std::string(dataplane::kPipeline[0].name) + "\"} 1000000000\n",
               text);
    assert_has("relay_packet_seconds_bucket{worker=\"0\",le=\"2.56e-07\"} 0\n", text);
    assert_has("relay_packet_seconds_bucket{worker=\"0\",le=\"5.12e-07\"} 5\n", text);
    assert_has("relay_packet_seconds_bucket{worker=\"0\",le=\"+Inf\"} 5\n", text);
    assert_has("relay_packet_seconds_sum{worker=\"0\"} 1.5e-06\n", text);
    assert_has("relay_handshakes_refused_total{reason=\"replay\"} 5\n", text);
    assert_has("relay_neighbours_asked_total 0\n", text);
    assert_has("relay_control_longest_seconds 0.0021\n", text);
    assert_has("relay_control_turns_over_total{cpu_seconds=\"0.005\"} 0\n", text);
    assert_has("relay_ring_depth{worker=\"0\",ring=\"waiting\"} 3\n", text);
    assert_has("relay_table_entries{table=\"peers\"} 5\n", text);
    assert_has("wireguard_configured_peers{interface=\"wirelay\"} 5\n", text);
    assert_has("wireguard_connected_peers{interface=\"wirelay\"} 1\n", text);
  }

  void families_stand_together() {
    relay_->running.http.series_for = {"*"};
    std::istringstream lines(metrics());
    std::set<std::string> families, samples;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# TYPE ")) {
        CPPUNIT_ASSERT_MESSAGE(line, families.insert(line.substr(7, line.rfind(' ') - 7)).second);
      } else if (line[0] != '#') {
        CPPUNIT_ASSERT_MESSAGE(line, samples.insert(line.substr(0, line.rfind(' '))).second);
      }
    }
    CPPUNIT_ASSERT(families.size() > 60);
  }

  void no_series_of_users_unless_named() {
    const std::string text = metrics();
    CPPUNIT_ASSERT(text.find("alice") == std::string::npos);
    CPPUNIT_ASSERT(text.find("relay_user_") == std::string::npos);
  }

  void series_of_those_that_are_named() {
    relay_->running.http.series_for = {"alice", "nobody", "staff-*"};
    PeerStatus& phone = relay_->peer_statuses["staff-bob-phone"];
    phone.traffic = {1, 200, 3, 400};
    phone.last_handshake_unix_ns = 1'700'000'000'123'000'000;
    phone.has_session = true;
    const std::string text = metrics();
    CPPUNIT_ASSERT_EQUAL(std::string("alice staff-bob staff-eve "), users());
    const std::string labels = "{interface=\"wirelay\",public_key=\"" +
                               crypto::to_base64(test::test_key(5)) +
                               "\",user=\"staff-bob\",name=\"staff-bob-phone\"} ";
    assert_has("wireguard_peer_receive_bytes_total" + labels + "200\n", text);
    assert_has("wireguard_peer_transmit_bytes_total" + labels + "400\n", text);
    assert_has("wireguard_peer_last_handshake_seconds" + labels + "1700000000\n", text);
    assert_has("wireguard_peer_info" + labels + "1\n", text);
    assert_has("relay_user_rx_bytes_total{user=\"staff-bob\"} 200\n", text);
    assert_has("relay_user_peers_connected{user=\"staff-bob\"} 1\n", text);
    assert_has("relay_user_peers_connected{user=\"alice\"} 0\n", text);
    assert_has("relay_series_cut 0\n", text);
  }

  void a_user_comes_once() {
    relay_->running.http.series_for = {"staff*", "staff-bob", "staff-*", "*"};
    CPPUNIT_ASSERT_EQUAL(std::string("staff staff-bob staff-eve alice zoe "), users());
  }

  void series_are_bounded() {
    relay_->running.http.series_for = {"*"};
    relay_->running.http.series_limit = 5;  // two users with a peer each, and half of another
    CPPUNIT_ASSERT_EQUAL(std::string("alice staff "), users());
    assert_has("relay_series_cut 1\n", metrics());
  }

  void what_is_missing() {
    PortConfig& port = relay_->running.ports[0];
    port.gateways = {*dataplane::parse_ip("198.51.100.254"), *dataplane::parse_ip("198.51.100.7")};
    const std::string text = ready_text(missing_of(facts_of(*relay_)));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"missing\":[\"gateway 198.51.100.7 of port wan does not "
                                     "answer\"],\"ready\":false}\n"),
                         text);
    assert_has("relay_gateway_up{port=\"wan\",address=\"198.51.100.7\"} 0\n", metrics());
    assert_has("relay_gateway_up{port=\"wan\",address=\"198.51.100.254\"} 1\n", metrics());
    relay_->drained = DrainStatus{};
    CPPUNIT_ASSERT_EQUAL(std::string("the relay takes no new sessions"),
                         missing_of(facts_of(*relay_)).back());
  }

  void workers_that_stand() {
    const TurningWorkers workers({&relay_->worker});
    CPPUNIT_ASSERT_EQUAL(std::string("worker 0 does not turn"), workers.standing().at(0));
    relay_->worker.polls.add(1);
    CPPUNIT_ASSERT(workers.standing().empty());
  }

 private:
  std::string metrics() { return metrics_text(facts_of(*relay_), Format::kPrometheus); }
  std::string users() {
    std::string names;
    for (const UserSeries& one : facts_of(*relay_).series) {
      CPPUNIT_ASSERT_EQUAL(size_t{1}, one.peers.size());
      names += one.user.spec->name + ' ';
    }
    return names;
  }
  static void assert_has(const std::string& part, const std::string& text) {
    CPPUNIT_ASSERT_MESSAGE("no " + part + "in:\n" + text, text.find(part) != std::string::npos);
  }

  std::unique_ptr<FakeRelay> relay_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MetricsTest);

}  // namespace
}  // namespace wirelay::ctrl::http
