// Protects relayctl as operators and scripts know it: what commands do to a relay, and what they
// print. The real commands talk to the real server before a fake relay.
#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/json.h"
#include "tests/cli/relayctl_fixture.h"

namespace wirelay::cli {

class RelayctlTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(RelayctlTest);
  CPPUNIT_TEST(users_are_added_changed_shown_and_removed);
  CPPUNIT_TEST(rates_go_to_their_fields);
  CPPUNIT_TEST(peers_are_added_changed_shown_and_removed);
  CPPUNIT_TEST(long_lists_are_fetched_whole);
  CPPUNIT_TEST(status_stats_and_drops_are_readable);
  CPPUNIT_TEST(reload_says_what_needs_a_restart);
  CPPUNIT_TEST(a_long_difference_is_cut_and_counted);
  CPPUNIT_TEST(json_is_the_result_itself);
  CPPUNIT_TEST_SUITE_END();

 public:
  void users_are_added_changed_shown_and_removed() {
    done("user add alice bob --rate 20M --max-peers 3");
    CPPUNIT_ASSERT_EQUAL(std::string("added 2 users\n"), out_);
    done("user set alice --rate-up unlimited --disable");
    CPPUNIT_ASSERT_EQUAL(std::string("changed 1 user\n"), out_);
    done("user show alice");
    has(out_, "alice (disabled)");
    has(out_, "Limit up:      unlimited");
    has(out_, "Limit down:    20 Mbit/s");
    done("user set alice --enable");
    done("user list");
    has(out_, "alice  api   enabled  unlimited  20 Mbit/s");
    has(out_, "2 of 2 users");
    done("user list --names --after alice");
    CPPUNIT_ASSERT_EQUAL(std::string("bob\n"), out_);
    done("user rename bob robert");
    CPPUNIT_ASSERT_EQUAL(std::string("changed 1 user\n"), out_);
    done("user rename robert bob");
    done("user remove alice bob");
    CPPUNIT_ASSERT_EQUAL(std::string("removed 2 users\n"), out_);
  }

  void rates_go_to_their_fields() {
    done(
        "user add a --rate-up 1M --rate-down 2M --packets-up 3K --packets-down 4K --burst-up 50K "
        "--burst-down 60K");
    done("user add b --rate 5M --packets 6K --burst 70K --rate-down 7M --disable");
    const auto a = registry().user("a")->limits();
    CPPUNIT_ASSERT((a.up == dataplane::DirectionLimits{1'000'000, 50'000, 3'000}));
    CPPUNIT_ASSERT((a.down == dataplane::DirectionLimits{2'000'000, 60'000, 4'000}));
    const auto& b = *registry().user("b");
    CPPUNIT_ASSERT((b.limits().up == dataplane::DirectionLimits{5'000'000, 70'000, 6'000}));
    CPPUNIT_ASSERT((b.limits().down == dataplane::DirectionLimits{7'000'000, 70'000, 6'000}));
    CPPUNIT_ASSERT(!b.enabled());
  }

  void peers_are_added_changed_shown_and_removed() {
    done("user add alice");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32,fd77::2/128 --public-key " + kKey +
             " --endpoint 192.0.2.1:1000 --keepalive 25 --preshared-key-file -",
         kKey + "\n");
    CPPUNIT_ASSERT_EQUAL(std::string("added 1 peer\n"), out_);
    done("peer show phone");
    has(out_, "Allowed IPs:     10.77.0.2/32, fd77::2/128");
    has(out_, "Keepalive:       every 25 s");
    has(out_, "yes (not shown)");
    done("peer set phone --allowed-ips 10.77.0.3/32 --no-preshared-key --keepalive 0");
    done("peer show phone");
    has(out_, "Allowed IPs:     10.77.0.3/32\n");
    has(out_, "Preshared key:   no");
    has(out_, "Keepalive:       off");
    done("peer list --user alice");
    has(out_, "phone  alice  10.77.0.3/32  -         never");
    done("user show alice");
    has(out_, "Peers:         1 of unlimited, 0 connected");
    done("peer rename phone pad");
    CPPUNIT_ASSERT_EQUAL(std::string("changed 1 peer\n"), out_);
    done("peer rename pad phone");
    done("peer remove phone");
    CPPUNIT_ASSERT_EQUAL(std::string("removed 1 peer\n"), out_);
  }

  void long_lists_are_fetched_whole() {
    done("user add --file " + users_file(2500));
    done("user list --names");
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{2500}, std::ranges::count(out_, '\n'));
    done("user list --json");
    const Json::Value all = ctrl::parse_json(out_, {16u << 20, 32, false});
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{2500}, all["users"].size());
    CPPUNIT_ASSERT(all["next"].isNull());
    done("user list --limit 10 --json");
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{10},
                         ctrl::parse_json(out_, {16u << 20, 32, false})["users"].size());
  }

  void status_stats_and_drops_are_readable() {
    rest();
    lab_->relay.worker.drops[static_cast<size_t>(dataplane::Drop::kBadTag)].add(1234);
    lab_->relay.worker.stages[0].packets.add(640);
    lab_->relay.worker.stages[0].batches.add(20);
    lab_->relay.worker.stages[0].cycles.add(6432);
    go_on();
    done("status");
    has(out_, "Running for:    1 d 2 h\n");
    has(out_, "AEAD engine:    ipsec-mb (fastest usable engine)");
    has(out_, "X25519 engine: ");
    has(out_, "198.51.100.254  wan");
    done("stats");
    has(out_, "  640           32.0           10.1\n");
    has(out_, "1,234,567    1.2 GB");
    done("ports");
    has(out_, "net_i40e");
    has(out_, "2 of 4,096");
    has(out_, "1,234");
    has(out_, "rx_ipv4_cksum, tx_mbuf_fast_free");
    done("nat");
    has(out_, "not translated");
    rest();
    ctrl::NatStatus& nat = lab_->relay.nat_status.emplace();
    nat.port = "wan";
    nat.blocks = 1500;
    nat.blocks_free = 1400;
    nat.blocks_resting = 99;
    nat.block_ports = 512;
    lab_->relay.nat_blocks[1200] = {
        3, "alice", *dataplane::parse_ip("198.51.100.7"), 1024, 1535, 1, 40, 2500};
    go_on();
    done("nat");
    has(out_, "1 of 1,500 in use, 99 resting, of 512 ports each");
    has(out_, "alice  198.51.100.7  1024-1535    40  2,500       1\n");
    done("drops");
    has(out_, "  1,234  bad_tag  authentication failed\n");
    has_not(out_, "replayed");
    done("drops --all");
    has(out_, "replayed");
  }

  void a_long_difference_is_cut_and_counted() {
    rest();
    lab_->relay.on_reload = [] {
      ctrl::ReloadOutcome result;
      result.counts.users_added = 2000;
      result.difference = {"+ user a", "+ user b"};
      return result;
    };
    go_on();
    done("reload --dry-run");
    CPPUNIT_ASSERT_EQUAL(std::string("+ user a\n+ user b\n... and 1,998 more\n"
                                     "would be reloaded: added 2,000 users\n"),
                         out_);
  }

  void reload_says_what_needs_a_restart() {
    rest();
    lab_->relay.on_reload = [] {
      ctrl::ReloadOutcome result;
      result.counts.users_added = 1;
      result.counts.peers_removed = 2;
      result.needs_restart = {"workers.cores"};
      result.warnings = {"port wan has no gateway"};
      return result;
    };
    go_on();
    done("reload");
    CPPUNIT_ASSERT_EQUAL(std::string("reloaded: added 1 user; removed 2 peers\n"
                                     "changed, but needs a restart: workers.cores\n"),
                         out_);
    CPPUNIT_ASSERT_EQUAL(std::string("warning: port wan has no gateway\n"), err_);
  }

  void json_is_the_result_itself() {
    done("--json user add alice");
    CPPUNIT_ASSERT_EQUAL(1u, ctrl::parse_json(out_, {})["users_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add alice --json"));
    CPPUNIT_ASSERT_EQUAL(-32602, ctrl::parse_json(out_, {})["error"]["code"].asInt());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RelayctlTest);

}  // namespace wirelay::cli
