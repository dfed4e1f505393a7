// Protects what only shows when the fields of a configuration are held against each other, against
// the rules for users, and against the configuration that runs.
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>

#include "tests/ctrl/config/config_files.h"

namespace wirelay::ctrl {

class ConfigCheckTest : public ConfigFiles {
  CPPUNIT_TEST_SUITE(ConfigCheckTest);
  CPPUNIT_TEST(ports);
  CPPUNIT_TEST(roles_and_queues);
  CPPUNIT_TEST(cross_checks);
  CPPUNIT_TEST(warnings);
  CPPUNIT_TEST(users_keep_the_rules);
  CPPUNIT_TEST(restart);
  CPPUNIT_TEST(restart_for_nat44);
  CPPUNIT_TEST_SUITE_END();

 public:
  void ports() {
    const auto port = [](const std::string& fields) {
      return R"("ports": [{"name": "a", "device": "net_null0")" + fields + "}]";
    };
    const std::string address = R"(, "addresses": ["192.0.2.2/24"])";
    const std::vector<std::pair<std::string, std::string>> bad = {
        {"\"ports\": []", "ports: found 0 ports, expected 1 to 16"},
        {port(""), "ports[0].addresses: missing"},
        {port(R"(, "addresses": [])"), "ports[0].addresses: found 0 addresses"},
        {port(R"(, "addresses": ["192.0.2.2"])"), "ports[0].addresses[0]: found \"192.0.2.2\""},
        {port(R"(, "addresses": ["192.0.2.0/24"])"), "ports[0].addresses[0]: "},
        {port(R"(, "addresses": ["192.0.2.255/24"])"), "ports[0].addresses[0]: "},
        {port(R"(, "addresses": ["127.0.0.1/8"])"), "ports[0].addresses[0]: "},
        {port(R"(, "addresses": ["ff02::1/64"])"), "ports[0].addresses[0]: "},
        {port(address + R"(, "mtu": 99)"),
         "ports[0].mtu: found 99, expected a whole number from 576 to 9216"},
        {port(address + R"(, "gateways": ["10.0.0.1"])"),
         "ports[0].gateways[0]: found \"10.0.0.1\", expected an address within a network"},
        {port(address + R"(, "gateways": ["192.0.2.2"])"),
         "ports[0].gateways[0]: found \"192.0.2.2\", which is the relay's own"},
        {port(address + R"(, "gateways": ["192.0.2.3", "192.0.2.4"])"),
         "ports[0].gateways[1]: found \"192.0.2.4\", expected at most one"},
        {port(address + R"(, "egress": true)"), "ports[0].gateways: missing"},
        {port(address + R"(, "role": "wan")"),
         "ports[0].role: found \"wan\", expected one of \"both\", \"tunnel\", \"egress\""},
        {port(address + R"(, "role": "egress")"), "ports: no role is \"tunnel\""},
        {port(address + R"(, "role": "tunnel", "egress": true, "gateways": ["192.0.2.3"])"),
         "ports[0].role: found \"tunnel\", but \"egress\" is true"},
        {port(address + R"(, "rx_descriptors": 16)"),
         "ports[0].rx_descriptors: found 16, expected a whole number from 64 to 32768"},
        {port(address + R"(, "macs": 1)"), "ports[0].macs: unknown field"},
    };
    for (const auto& [text, problem] : bad) {
      assert_refused_ports(text, "relayd.json: " + problem);
    }
    assert_refused_ports(R"("ports": [{"name": "", "device": "", "addresses": ["192.0.2.2/24"]}])",
                         "ports[0].device: found \"\"");
    // Hosting providers' gateways.
    for (const char* one : {R"(["192.0.2.2/32"], "gateways": ["172.31.1.1"])",
                            R"(["2001:db8::2/128"], "gateways": ["2001:db8:ffff::1"])"}) {
      write(port(R"(, "egress": true, "addresses": )" + std::string(one)));
      CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
    }
    const std::string alone =
        port(R"(, "egress": true, "addresses": ["192.0.2.2/32"], "gateways": ["172.31.1.1"])");
    const auto route = [](const std::string& via) {
      return R"(, "routes": [{"prefix": "10.9.0.0/16", "port": "a", "via": ")" + via + "\"}]";
    };
    write(alone + route("172.31.1.1"));
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
    assert_refused_ports(alone + route("172.31.1.2"), "routes[0].via: found \"172.31.1.2\"");
    assert_refused_ports(port(R"(, "addresses": ["192.0.2.2/32"], "gateways": ["2001:db8::1"])"),
                         "ports[0].gateways[0]: found \"2001:db8::1\", expected an address");
    write(port(R"(, "addresses": ["2001:db8::2/64"], "gateways": ["fe80::1"], "egress": true)"));
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
  }

  void roles_and_queues() {
    write(R"("ports": [
        {"name": "a", "device": "net_tap0", "addresses": ["10.0.0.1/8"], "role": "tunnel"},
        {"name": "b", "device": "0000:3b:00.0", "addresses": ["192.0.2.1/24"], "role": "egress",
         "rx_descriptors": 512, "tx_descriptors": 2048},
        {"name": "c", "device": "0000:3b:00.1", "addresses": ["198.51.100.9/24"], "role": "both"}],
        "workers": {"cores": [1, 2, 3]})");
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
    const Config config = load_config(file_);
    const auto role = [&](size_t i) {
      return std::pair(config.ports[i].tunnel, config.ports[i].plain);
    };
    CPPUNIT_ASSERT(role(0) == std::pair(true, false) && role(1) == std::pair(false, true));
    CPPUNIT_ASSERT(role(2) == std::pair(true, true));
    CPPUNIT_ASSERT_EQUAL(uint16_t{512}, config.ports[1].rx_descriptors);
    CPPUNIT_ASSERT_EQUAL(uint16_t{2048}, config.ports[1].tx_descriptors);
    // Full queues of all workers, and 4,096 for each worker.
    CPPUNIT_ASSERT_EQUAL(3u * (2 * 1024 + 512 + 2048 + 2 * 4096) + 3 * 4096, config.sizes.mbufs);
  }

  void cross_checks() {
    const std::vector<std::pair<std::string, std::string>> bad = {
        {R"("listen": {"addresses": ["198.51.100.2"]})", "listen.addresses[0]: "},
        {R"("tunnel_addresses": ["192.0.2.77"])",
         "tunnel_addresses[0]: found \"192.0.2.77\", which is within the network 192.0.2.0/24"},
        {R"("routes": [{"prefix": "10.0.0.0/8", "port": "lan", "via": "192.0.2.9"}])",
         "routes[0].port: found \"lan\""},
        {R"("routes": [{"prefix": "10.0.0.0/8", "port": "inet", "via": "192.0.3.9"}])",
         "routes[0].via: found \"192.0.3.9\""},
        {R"("routes": [{"prefix": "fd00::/8", "port": "inet", "via": "192.0.2.9"}])",
         "routes[0].via: found \"192.0.2.9\", expected an IPv6 address"},
        {R"("routes": [{"prefix": "10.0.0.0/8", "port": "inet", "via": "192.0.2.2"}])",
         "routes[0].via: found \"192.0.2.2\", which is the relay's own address"},
        {R"("routes": [{"prefix": "10.0.0.0/8", "port": "inet", "via": "192.0.2.255"}])",
         "routes[0].via: found \"192.0.2.255\", which is an end of the port's network"},
        {R"("routes": [{"prefix": "192.0.2.2/32", "port": "inet", "via": "192.0.2.9"}])",
         "routes[0].prefix: found \"192.0.2.2/32\", which is the relay's own address"},
        {R"("routes": [{"prefix": "0.0.0.0/0", "port": "inet", "via": "192.0.2.9"}])",
         "routes[0].prefix: found \"0.0.0.0/0\", which is the egress port's already"},
        {R"("routes": [{"prefix": "198.51.100.0/24", "port": "inet", "via": "192.0.2.9"}])",
         "routes[0].prefix: "},
        {R"("sizes": {"peers": 1000, "sessions": 3999})",
         "sizes.sessions: found 3999, expected at least 4000"},
    };
    for (const auto& [extra, problem] : bad) assert_refused(extra, "relayd.json: " + problem);
    write(R"("ports": [
        {"name": "a", "device": "net_null0,x=1", "addresses": ["192.0.2.2/24"]},
        {"name": "a", "device": "net_null0,x=2", "addresses": ["192.0.2.2/24"]}])");
    for (const char* part :
         {"ports[1].name: found \"a\", which is ports[0].name already",
          "ports[1].device: found \"net_null0\", which is ports[0].device already",
          "ports[1].addresses[0]: found \"192.0.2.2\", which is ports[0].addresses[0] already",
          "ports[1].addresses[0]: 192.0.2.0/24 is a network of ports[0] already"}) {
      assert_problem(file_, part);
    }
    write(R"("ports": [
        {"name": "a", "device": "0000:3b:00.0", "addresses": ["192.0.2.2/24"]},
        {"name": "b", "device": "pci:3B:00.0", "addresses": ["192.0.3.2/24"]},
        {"name": "c", "device": "net_af_packet0,iface=eth1", "addresses": ["192.0.4.2/24"]},
        {"name": "d", "device": "net_af_xdp0,iface=eth1", "addresses": ["192.0.5.2/24"]}])");
    assert_problem(file_,
                   "ports[1].device: found \"0000:3b:00.0\", which is ports[0].device already");
    assert_problem(file_,
                   "ports[3].device: found the interface \"eth1\", which is ports[2].device "
                   "already");
  }

  /// What is probably not meant is told, and no reason to refuse.
  void warnings() {
    const auto ports = [](const std::string& inner, const std::string& egress) {
      return R"("ports": [{"name": "a", "device": "net_tap0", "addresses": ["10.0.0.1/8"]},
                {"name": "b", "device": "net_tap1", "addresses": ["192.0.2.1/24", ")" +
             inner + R"("], "gateways": ["192.0.2.9"], "egress": )" + egress + "}]";
    };
    CPPUNIT_ASSERT_EQUAL(std::string(), warned(ports("172.16.0.1/12", "true")));
    CPPUNIT_ASSERT_EQUAL(std::string("ports[1].addresses[1]: 10.9.0.0/16 lies within 10.0.0.0/8 of "
                                     "port \"a\", whose hosts in it cannot be reached\n"),
                         warned(ports("10.9.0.1/16", "true")));
    CPPUNIT_ASSERT(
        warned(ports("172.16.0.1/12", "false")).starts_with("ports: none is the egress"));
    CPPUNIT_ASSERT_EQUAL(std::string(), warned(ports("172.16.0.1/12", "false") + R"(, "routes": [
                           {"prefix": "0.0.0.0/0", "port": "a", "via": "10.0.0.9"}])"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("users[0].peers[0].endpoint: 2001:db8::2 is an IPv6 address, and no port has "
                    "one: nothing reaches the peer there\n"),
        warned(ports("172.16.0.1/12", "true") + R"(, "users": [{"name": "alice", "peers": [
                 {"name": "phone", "public_key": ")" +
               kKey + R"(", "allowed_ips": [], "endpoint": "[2001:db8::2]:9"}]}])"));
  }

  void users_keep_the_rules() {
    const auto peer = [](const std::string& name, const std::string& key,
                         const std::string& allowed) {
      return R"({"name": ")" + name + R"(", "public_key": ")" + key + R"(", "allowed_ips": [")" +
             allowed + "\"]}";
    };
    const auto users = [](const std::string& peers) {
      return R"("users": [{"name": "alice", "peers": [)" + peers + "]}]";
    };
    const Config config = load(users(peer("p", kKey, "10.77.0.2")));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, config.users.size());
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), config.peers.at(0).user);
    CPPUNIT_ASSERT_EQUAL(file_ + ": users[0].peers[0]", config.peer_paths.at(0));

    const std::string second = "relayd.json: users[0].peers[1]";
    assert_refused(users(peer("p", kKey, "10.77.0.2") + "," + peer("p", kOtherKey, "10.77.0.3")),
                   second + ".name");
    assert_refused(users(peer("p", kKey, "10.77.0.2") + "," + peer("q", kKey, "10.77.0.3")),
                   second + ".public_key");
    assert_refused(users(peer("p", kKey, "10.77.0.2") + "," + peer("q", kOtherKey, "10.77.0.2")),
                   second + ".allowed_ips[0]");
    assert_refused(users(peer("p", kKey, "10.77.0.1")) + R"(, "tunnel_addresses": ["10.77.0.1"])",
                   "users[0].peers[0].allowed_ips[0]");
    assert_refused(users(peer("p", kKey, "192.0.2.77")), "users[0].peers[0].allowed_ips[0]");
    // A client may lie behind a route of the relay's, but not be that route.
    const std::string route =
        R"("routes": [{"prefix": "10.0.0.0/8", "port": "inet", "via": "192.0.2.9"}], )";
    load(route + users(peer("p", kKey, "10.77.0.0/16")));
    assert_refused(route + users(peer("p", kKey, "10.0.0.0/8")),
                   "allowed_ips[0]: 10.0.0.0/8 is a route of the relay's own");
  }

  void restart_for_nat44() {
    const auto nat = [](const std::string& rest) {
      Config config;
      config.nat44.emplace().settings.flows = 5000;
      if (rest == "each") config.nat44->settings.each = {1, 2};
      if (rest == "forward") config.nat44->settings.statics.push_back({1, 2, IPPROTO_TCP, 80, 80});
      if (rest == "one_to_one") config.nat44->settings.statics.push_back({1, 2});
      if (rest == "pool") config.nat44->settings.pools.push_back({});
      return config;
    };
    for (const char* live : {"", "each", "forward"}) {
      CPPUNIT_ASSERT_MESSAGE(live, needs_restart(nat(""), nat(live)).empty());
    }
    for (const char* fixed : {"one_to_one", "pool"}) {
      CPPUNIT_ASSERT_EQUAL(std::string("nat44"), needs_restart(nat(""), nat(fixed)).at(0));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("nat44"), needs_restart(nat(""), Config()).at(0));
  }

  void restart() {
    const Config running = load();
    CPPUNIT_ASSERT(needs_restart(running, load()).empty());
    CPPUNIT_ASSERT(needs_restart(running, load(R"("users": [{"name": "a"}])")).empty());
    CPPUNIT_ASSERT(needs_restart(running, load(R"("public_endpoint": "a:1")")).empty());
    const auto parts = [&](const std::string& extra) {
      std::string text;
      for (const std::string& part : needs_restart(running, load(extra))) text += part + ' ';
      return text;
    };
    CPPUNIT_ASSERT_EQUAL(std::string(), parts(R"("http": {"series_for": ["*"]})"));
    CPPUNIT_ASSERT_EQUAL(std::string("http "), parts(R"("http": {"listen": "none"})"));
    CPPUNIT_ASSERT_EQUAL(std::string("listen "), parts(R"("listen": {"udp_port": 5})"));
    CPPUNIT_ASSERT_EQUAL(std::string("tunnel_addresses workers "),
                         parts(R"("tunnel_addresses": ["10.1.1.1"], "workers": {"cores": [7]})"));
    CPPUNIT_ASSERT_EQUAL(std::string("sizes replay_window "),
                         parts(R"("sizes": {"users": 7}, "replay_window": 2048)"));
    CPPUNIT_ASSERT_EQUAL(std::string("huge_pages control_socket control_read_group "),
                         parts(R"("huge_pages": "never", "control_socket": "/tmp/y",
                                  "control_read_group": "monitor")"));
    Config other = load();
    other.ports[1].gateways.clear();
    CPPUNIT_ASSERT_EQUAL(std::string("ports"), needs_restart(running, other).at(0));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ConfigCheckTest);

}  // namespace wirelay::ctrl
