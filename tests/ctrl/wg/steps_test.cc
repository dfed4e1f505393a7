// Protects what `wg` sets: read as the interface has it, and made of the relay's peers as the
// kernel would make it.
#include "ctrl/wg/steps.h"

#include <functional>
#include <map>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/problem.h"
#include "ctrl/wg/peer_pages.h"
#include "tests/support/fake_relay.h"

namespace wirelay::ctrl::wg {
namespace {

using test::FakeRelay;
using test::test_key;

std::string peer(uint32_t seed, const std::string& lines = "") {
  return "public_key=" + to_hex(test_key(seed)) + "\n" + lines;
}

class WgStepsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WgStepsTest);
  CPPUNIT_TEST(all_that_can_be_set);
  CPPUNIT_TEST(what_is_not_understood);
  CPPUNIT_TEST(unknown_keys_go_to_the_user);
  CPPUNIT_TEST(known_peers_change);
  CPPUNIT_TEST(allowed_ips_move);
  CPPUNIT_TEST(peers_are_removed);
  CPPUNIT_TEST(all_others_go);
  CPPUNIT_TEST(the_device_is_as_it_is_configured);
  CPPUNIT_TEST(pages_of_peers);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    relay_ = std::make_unique<FakeRelay>();
    AddUser user;
    user.spec.name = "alice";
    relay_->apply({{user, "x"}});
    user.spec.name = "wg";
    relay_->apply({{user, "x"}});
    for (const auto& [name, seed] : {std::pair{"phone", 1u}, {"pad", 2u}}) {
      AddPeer one;
      one.spec.name = name;
      one.spec.user = "alice";
      one.spec.public_key = test_key(seed);
      one.spec.allowed_ips = {*dataplane::parse_prefix("10.1.0." + std::to_string(seed) + "/32")};
      relay_->apply({{one, "x"}});
    }
  }

  void all_that_can_be_set() {
    const DeviceRequest request = read_request(
        "private_key=" + to_hex(test_key(9)) + "\nlisten_port=443\nfwmark=0\nreplace_peers=true\n" +
        peer(3, "remove=true\n") +
        peer(4, "update_only=true\npreshared_key=" + to_hex(test_key(8)) +
                    "\nendpoint=[2001:db8::7]:5\npersistent_keepalive_interval=25\n"
                    "replace_allowed_ips=true\nallowed_ip=10.1.1.0/24\nallowed_ip=fd00::7/128\n"
                    "protocol_version=1\n"));
    CPPUNIT_ASSERT(request.private_key->bytes() == test_key(9));
    CPPUNIT_ASSERT_EQUAL(uint16_t{443}, *request.listen_port);
    CPPUNIT_ASSERT(request.replace_peers && request.peers.at(0).remove);
    const PeerRequest& last = request.peers.at(1);
    CPPUNIT_ASSERT(last.update_only && last.replace_allowed_ips && !last.remove);
    CPPUNIT_ASSERT(last.preshared_key->bytes() == test_key(8));
    CPPUNIT_ASSERT_EQUAL(std::string("[2001:db8::7]:5"), to_string(*last.endpoint));
    CPPUNIT_ASSERT_EQUAL(uint16_t{25}, *last.keepalive);
    CPPUNIT_ASSERT_EQUAL(std::string("fd00::7/128"), to_string(last.allowed_ips.at(1)));
  }

  void what_is_not_understood() {
    const std::string secret = to_hex(test_key(7)).substr(1);
    for (const std::string& wrong :
         {std::string("x"), std::string("x=1"), "private_key=" + secret, std::string("fwmark=-1"),
          std::string("listen_port=65536"), std::string("replace_peers=1"),
          peer(1, "preshared_key=" + secret), peer(1, "endpoint=x:1"),
          peer(1, "endpoint=1.2.3.4:0"), peer(1, "allowed_ip=10.0.0.0/33"),
          peer(1, "protocol_version=2"), peer(1, "x=1"), peer(1, "listen_port=1"),
          "public_key=" + secret}) {
      try {
        read_request(wrong);
        CPPUNIT_FAIL(wrong);
      } catch (const Refused& refused) {
        CPPUNIT_ASSERT(refused.problems[0].path.starts_with("wg, line "));
        CPPUNIT_ASSERT(refused.problems[0].message.find(secret) == std::string::npos);
      }
    }
  }

  void unknown_keys_go_to_the_user() {
    set(peer(7, "allowed_ip=10.1.0.7/32\npersistent_keepalive_interval=25\n") +
        peer(8, "update_only=true\nallowed_ip=10.1.0.8/32\n"));
    const PeerPtr made = relay_->registry().peer(test_key(7));
    CPPUNIT_ASSERT_EQUAL(std::string("wg wg-BwAAAFpa"), made->user + ' ' + made->name);
    CPPUNIT_ASSERT_EQUAL(uint16_t{25}, made->persistent_keepalive);
    CPPUNIT_ASSERT(!relay_->registry().peer(test_key(8)));
    // A name that is taken.
    relay_->apply({{RenamePeers{{{"pad", "wg-CQAAAFpa", "x"}}}, "x"}});
    set(peer(9));
    CPPUNIT_ASSERT_EQUAL(std::string("wg-CQAAAFpa-2"), relay_->registry().peer(test_key(9))->name);
  }

  void known_peers_change() {
    set(peer(1, "preshared_key=" + to_hex(test_key(5)) +
                    "\nendpoint=198.51.100.9:7\nallowed_ip=10.1.0.9/32\nallowed_ip=10.1.0.1/32\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), phone()->user);
    CPPUNIT_ASSERT(phone()->preshared_key->bytes() == test_key(5));
    CPPUNIT_ASSERT_EQUAL(std::string("198.51.100.9:7"), to_string(*phone()->endpoint));
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.1/32 10.1.0.9/32 "), ips("phone"));
    set(peer(1, "preshared_key=" + std::string(64, '0') +
                    "\nreplace_allowed_ips=true\nallowed_ip=10.1.0.9/32\n"));
    CPPUNIT_ASSERT(!phone()->preshared_key);
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.9/32 "), ips("phone"));
    CPPUNIT_ASSERT(set(peer(1)).empty());  // nothing to do
  }

  void allowed_ips_move() {
    set(peer(1, "allowed_ip=10.1.0.2/32\n"));  // the pad's
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.1/32 10.1.0.2/32 "), ips("phone"));
    CPPUNIT_ASSERT_EQUAL(std::string(), ips("pad"));
    // Within a request the last one has it, in whatever order the peers are named.
    set(peer(2, "allowed_ip=10.1.0.2/32\n") + peer(1, "allowed_ip=10.1.0.3/32\n") +
        peer(2, "allowed_ip=10.1.0.3/32\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.1/32 "), ips("phone"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.2/32 10.1.0.3/32 "), ips("pad"));
    // Both at once.
    set(peer(1, "replace_allowed_ips=true\nallowed_ip=10.1.0.2/32\n") +
        peer(2, "replace_allowed_ips=true\nallowed_ip=10.1.0.1/32\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.2/32 "), ips("phone"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.1/32 "), ips("pad"));
  }

  void peers_are_removed() {
    set(peer(1, "remove=true\n") + peer(77, "remove=true\n"));
    CPPUNIT_ASSERT(!phone());
    // One that is removed and comes again has nothing of what it had.
    set(peer(2, "remove=true\n") + peer(2, "persistent_keepalive_interval=5\n"));
    CPPUNIT_ASSERT_EQUAL(std::string(), ips("pad"));
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), relay_->registry().peer("pad")->user);
    set(peer(5, "allowed_ip=10.1.0.5/32\n") + peer(5, "remove=true\n"));
    CPPUNIT_ASSERT(!relay_->registry().peer(test_key(5)));
  }

  void all_others_go() {
    set("replace_peers=true\n" + peer(2, "allowed_ip=10.1.0.1/32\n") + peer(7));
    CPPUNIT_ASSERT(!phone());
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.1/32 "), ips("pad"));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, relay_->registry().peer_count());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, relay_->registry().user_count());
  }

  void the_device_is_as_it_is_configured() {
    CPPUNIT_ASSERT(set("private_key=" + to_hex(private_key_.bytes()) +
                       "\nlisten_port=51820\n"
                       "fwmark=0\n")
                       .empty());
    set("private_key=" + std::string(64, '0') + "\nlisten_port=0\n");
    for (const std::string& other : {"private_key=" + to_hex(test_key(3)) + "\n",
                                     std::string("listen_port=1\n"), std::string("fwmark=1\n")}) {
      CPPUNIT_ASSERT_THROW(set(other + peer(1, "remove=true\n")), Refused);
    }
    CPPUNIT_ASSERT(phone());
  }

  void pages_of_peers() {
    for (uint32_t i = 100; i < 550; ++i) {
      AddPeer one;
      one.spec.name = "z" + std::to_string(i);
      one.spec.user = "alice";
      one.spec.public_key = test_key(i);
      relay_->apply({{one, "x"}});
    }
    PeerStatus& status = relay_->peer_statuses["phone"];
    status.last_handshake_unix_ns = 1'700'000'000'000'000'007;
    status.traffic = {1, 2, 3, 4};
    std::string text, last;
    size_t pages = 0;
    do {
      PeerPage page(last);
      while (!page.collect(*relay_, Slice(std::chrono::nanoseconds(0)))) continue;
      text += page.text();
      last = page.last();
      ++pages;
    } while (!last.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{4}, pages);
    size_t peers = 0;
    for (size_t at = 0; (at = text.find("public_key=", at)) != text.npos; ++at) ++peers;
    CPPUNIT_ASSERT_EQUAL(size_t{452}, peers);
    const std::string one = peer(1,
                                 "last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=7\n"
                                 "tx_bytes=4\nrx_bytes=2\npersistent_keepalive_interval=0\n"
                                 "allowed_ip=10.1.0.1/32\nprotocol_version=1\n");
    CPPUNIT_ASSERT_MESSAGE(text.substr(0, 1000), text.find(one) != text.npos);
  }

 private:
  std::vector<Step> set(const std::string& lines) {
    const Device device{crypto::derive_public_key(private_key_), 51820, "wg"};
    std::vector<Step> steps = steps_of(relay_->registry(), read_request(lines), device);
    relay_->apply(steps);
    return steps;
  }
  PeerPtr phone() { return relay_->registry().peer("phone"); }
  std::string ips(const std::string& name) {
    std::string text;
    for (const auto& prefix : relay_->registry().peer(name)->allowed_ips) {
      text += to_string(prefix) + ' ';
    }
    return text;
  }

  std::unique_ptr<FakeRelay> relay_;
  const crypto::Secret private_key_{test_key(42)};
};

CPPUNIT_TEST_SUITE_REGISTRATION(WgStepsTest);

}  // namespace
}  // namespace wirelay::ctrl::wg
