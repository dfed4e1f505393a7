// Protects the reading of the configuration file: every field, and every problem with its path.
#include "ctrl/config/config.h"

#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "tests/ctrl/config/config_files.h"

namespace wirelay::ctrl {

class ConfigTest : public ConfigFiles {
  CPPUNIT_TEST_SUITE(ConfigTest);
  CPPUNIT_TEST(defaults);
  CPPUNIT_TEST(everything);
  CPPUNIT_TEST(nat_of_the_egress_port);
  CPPUNIT_TEST(several_udp_ports);
  CPPUNIT_TEST(examples_are_right);
  CPPUNIT_TEST(unreadable_files);
  CPPUNIT_TEST(reading_ends_when_it_is_told_to);
  CPPUNIT_TEST(pipes_and_devices_are_refused);
  CPPUNIT_TEST(private_keys);
  CPPUNIT_TEST(fields);
  CPPUNIT_TEST(all_problems_at_once);
  CPPUNIT_TEST(long_lists_that_are_all_wrong);
  CPPUNIT_TEST(users_file);
  CPPUNIT_TEST_SUITE_END();

 public:
  void defaults() {
    const Config config = load();
    CPPUNIT_ASSERT_EQUAL(key_file_, config.private_key_file);
    CPPUNIT_ASSERT_EQUAL(uint16_t{51820}, config.udp_ports.front());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, config.ports.size());
    CPPUNIT_ASSERT(!config.ports[0].mtu && config.ports[0].tunnel && config.ports[0].plain);
    CPPUNIT_ASSERT_EQUAL(uint32_t{1024}, config.sizes.users);
    CPPUNIT_ASSERT_EQUAL(uint32_t{4096}, config.sizes.sessions);
    CPPUNIT_ASSERT_EQUAL(uint32_t{5120}, config.sizes.prefixes);
    CPPUNIT_ASSERT_EQUAL(uint16_t{16384}, config.sizes.neighbours);
    CPPUNIT_ASSERT_EQUAL(uint32_t{8192}, config.sizes.replay_packets);
    CPPUNIT_ASSERT(config.polling == dataplane::Polling::kAdaptive);
    CPPUNIT_ASSERT(config.huge_pages == HugePages::kAuto);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, config.worker_cores.size());
    CPPUNIT_ASSERT(config.warnings.empty());
  }

  void everything() {
    const Config config = load(R"("listen": {"udp_port": 51821, "addresses": ["198.51.100.1"]},
      "public_endpoint": "vpn.example.net:51820", "client_dns": ["10.77.0.1", "example.net"],
      "routes": [{"prefix": "10.9.0.0/16", "port": "inet", "via": "192.0.2.9"}],
      "tunnel_addresses": ["10.77.0.1", "fd77::1"],
      "workers": {"cores": [1, 1], "control_core": 3, "polling": "busy"},
      "sizes": {"users": 100, "peers": 200, "sessions": 800, "prefixes": 1000, "neighbours": 256,
                "mbufs": 8192},
      "replay_window": 1024, "aead_engine": "libsodium", "huge_pages": "never",
      "address_pools": [{"prefix": "10.77.0.0/16", "reserved": ["10.77.0.53"]},
                        {"prefix": "fd77::/64"}],
      "events_kept": 500, "control_socket": "/tmp/x.sock", "log_level": "debug",
      "http": {"listen": "[::1]:80", "series_for": ["alice", "staff-*"], "series_limit": 7},
      "wg": {"interface": "wg0", "user": "alice"})");
    CPPUNIT_ASSERT_EQUAL(uint16_t{51821}, config.udp_ports.front());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, config.listen_addresses.size());
    CPPUNIT_ASSERT_EQUAL(std::string("vpn.example.net:51820"), *config.public_endpoint);
    CPPUNIT_ASSERT_EQUAL(std::string("10.9.0.0/16"), to_string(config.routes.at(0).prefix));
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.9"), to_string(config.routes.at(0).via));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, config.tunnel_addresses.size());
    CPPUNIT_ASSERT(config.worker_cores == std::vector<unsigned>({1, 1}));
    CPPUNIT_ASSERT_EQUAL(3u, config.control_core);
    CPPUNIT_ASSERT(config.polling == dataplane::Polling::kBusy);
    CPPUNIT_ASSERT_EQUAL(uint32_t{800}, config.sizes.sessions);
    CPPUNIT_ASSERT_EQUAL(uint16_t{256}, config.sizes.neighbours);
    CPPUNIT_ASSERT_EQUAL(uint32_t{8192}, config.sizes.mbufs);
    CPPUNIT_ASSERT_EQUAL(uint32_t{1024}, config.sizes.replay_packets);
    CPPUNIT_ASSERT(config.huge_pages == HugePages::kNever);
    CPPUNIT_ASSERT_EQUAL(std::string("libsodium"), config.aead_engine);
    CPPUNIT_ASSERT_EQUAL(std::string("debug"), config.log_level);
    CPPUNIT_ASSERT_EQUAL(size_t{500}, config.events_kept);
    CPPUNIT_ASSERT_EQUAL(std::string("[::1]:80"), to_string(*config.http.listen));
    CPPUNIT_ASSERT_EQUAL(std::string("staff-*"), config.http.series_for.at(1));
    CPPUNIT_ASSERT_EQUAL(size_t{7}, config.http.series_limit);
    CPPUNIT_ASSERT_EQUAL(std::string("wg0 alice"), config.wg.interface + ' ' + config.wg.user);
    CPPUNIT_ASSERT_EQUAL(std::string("fd77::/64"), to_string(config.address_pools.at(1).prefix));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, config.address_pools.at(0).reserved.size());
  }

  void nat_of_the_egress_port() {
    CPPUNIT_ASSERT(!load().nat44 && !load().isolation);
    CPPUNIT_ASSERT(load(R"("nat44": {})").isolation);
    CPPUNIT_ASSERT(!load(R"("nat44": {}, "isolation": false)").isolation);
    CPPUNIT_ASSERT(load(R"("isolation": true)").isolation);
    CPPUNIT_ASSERT((load(R"("isolation_exceptions": ["a", "c"])").open_groups ==
                    std::vector<uint64_t>{1, 3}));
    const Nat44Config own = load(R"("nat44": {})").nat44.value();
    CPPUNIT_ASSERT_EQUAL(std::string("inet"), own.port);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, own.settings.pools.size());
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.2/32"), to_string(own.settings.pools[0]));
    const Nat44Config all = load(R"("nat44": {"port": "wan", "addresses": ["203.0.113.64/27",
      "203.0.113.7"], "block_ports": 256, "max_blocks": 2, "max_flows": 500, "flows": 5000,
      "filtering": "address_and_port_dependent", "udp_timeout": 200, "icmp_timeout": 70,
      "tcp_timeout": 8000, "tcp_transitory_timeout": 250, "forwards": [{"protocol": "udp",
      "address": "203.0.113.7", "port": 5000, "ports": 20, "to": "10.77.0.2", "to_port": 7000}],
      "one_to_one": [{"address": "203.0.113.9", "to": "10.77.0.3"}],
      "ipfix": {"collector": "192.0.2.50:4739", "domain": 9}})")
                                .nat44.value();
    const dataplane::NatSettings& s = all.settings;
    CPPUNIT_ASSERT_EQUAL(std::string("wan"), all.port);
    CPPUNIT_ASSERT_EQUAL(uint64_t{33}, dataplane::count_addresses(s.pools));
    CPPUNIT_ASSERT(s.filtering == dataplane::NatFiltering::kAddressAndPortDependent);
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.50:4739"), to_string(all.collector.value()));
    CPPUNIT_ASSERT_EQUAL(9u, all.domain);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, s.statics.size());
    CPPUNIT_ASSERT_EQUAL(5000, int{s.statics[0].port});
    CPPUNIT_ASSERT_EQUAL(7000, int{s.statics[0].inside_port});
    CPPUNIT_ASSERT_EQUAL(20, int{s.statics[0].count});
    CPPUNIT_ASSERT_EQUAL(0, int{s.statics[1].protocol});
    CPPUNIT_ASSERT_EQUAL(size_t{3}, all.public_prefixes().size());
    CPPUNIT_ASSERT((std::vector{s.block_ports, s.each.blocks, s.each.flows, s.flows, s.udp_seconds,
                                s.icmp_seconds, s.tcp_seconds, s.tcp_transitory_seconds} ==
                    std::vector<uint32_t>{256, 2, 500, 5000, 200, 70, 8000, 250}));
  }

  void several_udp_ports() {
    const Config config = load(R"("listen": {"udp_ports": [443, 51820, 53]})");
    CPPUNIT_ASSERT(config.udp_ports == std::vector<uint16_t>({443, 51820, 53}));
  }

  void examples_are_right() {
    const std::filesystem::path examples = std::filesystem::path(SOURCE_ROOT) / "conf";
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(examples)) {
      const std::string name = entry.path().filename();
      if (!name.ends_with(".json") || name.ends_with("schema.json")) continue;
      std::ifstream in(entry.path());
      std::string text{std::istreambuf_iterator<char>(in), {}};
      const std::string key = "/etc/wirelay/private.key";
      const size_t at = text.find(key);
      CPPUNIT_ASSERT(at != std::string::npos);
      text.replace(at, key.size(), key_file_);
      const std::string copy = dir_.write(name, text);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, std::string(), problems_of(copy));
      ++seen;
    }
    CPPUNIT_ASSERT(seen >= 3);
  }

  void unreadable_files() {
    assert_problem(dir_.path("absent.json"), "cannot be read: No such file");
    assert_problem(dir_.path(""), "is a directory");
    assert_problem(dir_.write("bad.json", "{\n  \"a\": }"), "bad.json:2:8: ");
    assert_problem(dir_.write("list.json", "[]"), "found a list, expected an object");
  }

  /// Long before the end of a long file: the mistake behind it isn't found.
  void reading_ends_when_it_is_told_to() {
    std::string text = "{\"users\": [0";
    for (int i = 0; i < 10'000; ++i) text += ", 0";
    const std::string file = dir_.write("long.json", text + "}");
    std::stop_source stop;
    CPPUNIT_ASSERT_THROW(load_config(file, stop.get_token()), Refused);
    stop.request_stop();
    try {
      load_config(file, stop.get_token());
      CPPUNIT_FAIL("read to the end");
    } catch (const Refused& refused) {
      CPPUNIT_FAIL("read to the end: " + lines_of(refused.problems).front());
    } catch (const std::runtime_error&) {
    }
  }

  /// They could hang a start or a reload for ever.
  void pipes_and_devices_are_refused() {
    const std::string pipe = dir_.path("pipe");
    CPPUNIT_ASSERT_EQUAL(0, mkfifo(pipe.c_str(), 0600));
    assert_problem(pipe, "pipe: is a pipe or a device, expected a regular file");
    assert_refused(R"("users_file": "pipe")", "pipe: is a pipe or a device");
    assert_refused(R"("users_file": "/dev/zero")", "/dev/zero: is a pipe or a device");
    std::filesystem::rename(pipe, key_file_);
    assert_refused("", "private.key: is a pipe or a device");
  }

  void private_keys() {
    for (const std::string& text : {std::string(), std::string("AAAA\n"), kKey + "\n" + kKey,
                                    kKey.substr(1), std::string(10'000, 'A')}) {
      dir_.write("private.key", text);
      assert_refused("", key_file_);
    }
    std::filesystem::remove(key_file_);
    assert_refused("", "private.key: cannot be read");
    dir_.write("private.key", kKey);
    chmod(key_file_.c_str(), 0644);
    const Config config = load();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, config.warnings.size());
    CPPUNIT_ASSERT(config.warnings[0].find("chmod 600") != std::string::npos);
    CPPUNIT_ASSERT(config.warnings[0].find(kKey) == std::string::npos);
    CPPUNIT_ASSERT(read_private_key(key_file_).bytes() == *crypto::parse_base64_key(kKey));
  }

  void fields() {
    const std::vector<std::pair<std::string, std::string>> bad = {
        {R"("listne": {})", "listne: unknown field; did you mean \"listen\"?"},
        {R"("listen": {"udp_port": 0})",
         "listen.udp_port: found 0, expected a whole number from 1"},
        {R"("listen": {"udp_ports": []})", "listen.udp_ports: found 0 ports, expected 1 to 8"},
        {R"("listen": {"udp_ports": [51820, 0]})",
         "listen.udp_ports[1]: found 0, expected a whole"},
        {R"("listen": {"udp_ports": [443, 443]})", "listen.udp_ports[1]: found 443 for the second"},
        {R"("listen": {"udp_port": 1, "udp_ports": [443]})", "listen.udp_ports: stands beside"},
        {R"("listen": {"addresses": ["::"]})", "listen.addresses[0]: found \"::\""},
        {R"("public_endpoint": "vpn.example.net")", "public_endpoint: found \"vpn.example.net\""},
        {R"("public_endpoint": "vpn.example.net:99999")", "public_endpoint: "},
        {R"("client_dns": ["a b"])", "client_dns[0]: found \"a b\""},
        {R"("routes": [{"prefix": "x", "port": "inet", "via": "192.0.2.9"}])",
         "routes[0].prefix: "},
        {R"("tunnel_addresses": ["10.77.0.1/24"])", "tunnel_addresses[0]: found \"10.77.0.1/24\""},
        {R"("tunnel_addresses": ["fd77::1", "fd77::1"])", "tunnel_addresses[1]: "},
        {R"("workers": {})", "workers.cores: missing"},
        {R"("workers": {"cores": []})", "workers.cores: found 0 cores, expected 1 to 64"},
        {R"("workers": {"cores": [-1]})", "workers.cores[0]: found -1"},
        {R"("workers": {"cores": [1], "polling": "fast"})",
         "workers.polling: found \"fast\", expected one of \"busy\", \"adaptive\""},
        {R"("sizes": {"users": 0})", "sizes.users: found 0"},
        {R"("sizes": {"neighbours": 65536})", "sizes.neighbours: found 65536"},
        {R"("replay_window": 1000)",
         "replay_window: found 1000, expected a whole number from 1024"},
        {R"("aead_engine": "rot13")", "aead_engine: found \"rot13\", expected one of \"auto\""},
        {R"("huge_pages": true)", "huge_pages: found true, expected a text"},
        {R"("control_socket": "relayd.sock")", "control_socket: found \"relayd.sock\""},
        {R"("control_socket_group": "")", "control_socket_group: is empty"},
        {R"("control_read_group": "")", "control_read_group: is empty"},
        {R"("log_level": "loud")", "log_level: found \"loud\""},
        {R"("http": {"listen": "9586"})",
         "http.listen: found \"9586\", expected an address and a port such as \"127.0.0.1:9586\""},
        {R"("http": {"listen": "127.0.0.1:0"})", "http.listen: found"},
        {R"("http": {"series_for": ["a*b"]})", "http.series_for[0]: found \"a*b\", expected"},
        {R"("wg": {"interface": "a/b", "user": "x"})", "wg.interface: found \"a/b\", expected"},
        {R"("wg": {"interface": "wg0"})", "wg.user: missing"},
        {R"("http": {"series_limit": 0})", "http.series_limit: found 0, expected a whole number"},
        {R"("events_kept": 1)", "events_kept: found 1, expected a whole number from 100"},
        {R"("address_pools": [{}])", "address_pools[0].prefix: missing"},
        {R"("address_pools": [{"prefix": "10.0.0.0/31"}])", "address_pools[0].prefix: found"},
        {R"("address_pools": [{"prefix": "10.7.0.0/16"}, {"prefix": "10.0.0.0/8"}])",
         "address_pools[1].prefix: 10.0.0.0/8 overlaps another pool, 10.7.0.0/16"},
        {R"("address_pools": [{"prefix": "10.7.0.0/16", "reserved": ["10.8.0.1"]}])",
         "address_pools[0].reserved[0]: found \"10.8.0.1\", expected an address of the pool"},
        {R"("isolation": "on")", "isolation: found \"on\", expected true or false"},
        {R"("isolation_exceptions": ["a", "B"])",
         "isolation_exceptions[1]: found \"B\", expected the name of a group"},
        {R"("nat44": [])", "nat44: found a list, expected an object"},
        {R"("nat44": {"port": "lan"})", "nat44.port: found \"lan\", expected the name of one"},
        {R"("nat44": {"addresses": ["fd00::1"]})",
         "nat44.addresses[0]: found \"fd00::1\", expected an IPv4 address"},
        {R"("nat44": {"addresses": ["10.0.0.0/15"]})", "nat44.addresses[0]: found"},
        {R"("nat44": {"addresses": ["203.0.113.0/28", "203.0.113.7"]})",
         "nat44.addresses[1]: 203.0.113.7/32 overlaps 203.0.113.0/28"},
        {R"("nat44": {"addresses": []})", "nat44.addresses: is empty"},
        {R"("nat44": {"addresses": ["192.0.2.0/28"]})",
         "nat44.addresses: 192.0.2.0/28 holds the gateway 192.0.2.1 of port \"inet\""},
        {R"("nat44": {"forwards": [{"protocol": "sctp", "port": 80, "to": "10.77.0.2"}]})",
         "nat44.forwards[0].protocol: found \"sctp\", expected one of"},
        {R"("nat44": {"forwards": [{"protocol": "tcp", "to": "10.77.0.2"}]})",
         "nat44.forwards[0].port: missing"},
        {R"("nat44": {"forwards": [{"protocol": "tcp", "port": 80, "to": "fd77::2"}]})",
         "nat44.forwards[0].to: found \"fd77::2\", expected an IPv4 address"},
        {R"("nat44": {"forwards": [{"protocol": "tcp", "port": 80, "to": "10.77.0.2",
                                     "address": "203.0.113.1"}]})",
         "nat44.forwards[0].address: 203.0.113.1 is none of \"addresses\""},
        {R"("nat44": {"forwards": [{"protocol": "tcp", "port": 65000, "ports": 537,
                                     "to": "10.77.0.2"}]})",
         "nat44.forwards[0].ports: found 537, which leads behind port 65535"},
        {R"("nat44": {"forwards": [{"protocol": "tcp", "port": 80, "ports": 9, "to": "10.77.0.2"},
                                    {"protocol": "tcp", "port": 88, "to": "10.77.0.3"}]})",
         "nat44.forwards: port 88 of 192.0.2.2 leads to two places"},
        {R"("nat44": {"forwards": [{"protocol": "tcp", "port": 80, "to": "10.77.0.2"},
                                    {"protocol": "tcp", "port": 81, "to": "10.77.0.2",
                                     "to_port": 80}]})",
         "nat44.forwards: two lead to port 80 of 10.77.0.2"},
        {R"("nat44": {"forwards": [{"protocol": "udp", "port": 51820, "to": "10.77.0.2"}]})",
         "nat44.forwards: UDP port 51820 of 192.0.2.2 is WireGuard's"},
        {R"("nat44": {"one_to_one": [{"address": "192.0.2.2", "to": "10.77.0.2"}]})",
         "nat44.one_to_one[0].address: 192.0.2.2 is one of \"addresses\""},
        {R"("nat44": {"one_to_one": [{"address": "198.51.100.1", "to": "10.77.0.2"}]})",
         "nat44.one_to_one: 198.51.100.1 is the relay's own address"},
        {R"("nat44": {"block_ports": 100})", "nat44.block_ports: found 100, expected a power"},
        {R"("nat44": {"max_blocks": 9})", "nat44.max_blocks: found 9"},
        {R"("nat44": {"udp_timeout": 30})",
         "nat44.udp_timeout: found 30, expected a whole number from 120"},
        {R"("nat44": {"ipfix": {}})", "nat44.ipfix.collector: missing"},
        {R"("nat44": {"ipfix": {"collector": "192.0.2.50"}})",
         "nat44.ipfix.collector: found \"192.0.2.50\", expected an address and a port"},
        {R"("nat44": {"filtering": "none"})", "nat44.filtering: found \"none\", expected one of"},
        {R"("users": {})", "users: found an object, expected a list"},
    };
    for (const auto& [extra, problem] : bad) assert_refused(extra, "relayd.json: " + problem);
  }

  void all_problems_at_once() {
    write(std::string(kPorts) + R"(, "replay_window": 1, "log_level": "loud",
             "users": [{"name": "a", "limits": {"up": {"rate": 0}}}])");
    const std::string problems = problems_of(file_);
    CPPUNIT_ASSERT_EQUAL(ptrdiff_t{3}, std::ranges::count(problems, '\n'));
  }

  /// Nobody reads more problems than enough(): one entry may go a little beyond.
  void long_lists_that_are_all_wrong() {
    const auto list = [](const std::string& name, const std::string& item) {
      std::string text = item;
      for (int i = 1; i < 1000; ++i) text += ", " + item;
      return "\"" + name + "\": [" + text + "]";
    };
    for (const std::string& wrong :
         {list("routes", "{}"), list("tunnel_addresses", "\"x\""), list("client_dns", "\"\""),
          R"("listen": {)" + list("addresses", "\"x\"") + "}",
          R"("workers": {)" + list("cores", "-1") + "}"}) {
      write(kPorts + (", " + wrong));
      const auto found = static_cast<size_t>(std::ranges::count(problems_of(file_), '\n'));
      CPPUNIT_ASSERT_MESSAGE(wrong.substr(0, 40) + ": " + std::to_string(found),
                             found >= kMaxProblems && found <= kMaxProblems + 3);
    }
  }

  void users_file() {
    const std::string named = R"("users_file": "users.json")";
    assert_refused(named, "users.json: cannot be read");
    dir_.write("users.json", R"({"users": [{"name": "bob"}, {"name": "carol"}]})");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, load(named).users.size());
    assert_refused(named + R"(, "users": [{"name": "bob"}])", "relayd.json: users[0].name");
    dir_.write("users.json", R"({"users": [{"name": "bob", "max_peers": -1}], "x": 1})");
    assert_refused(named, "users.json: users[0].max_peers");
    dir_.write("users.json", R"({})");
    assert_refused(named, "users.json: users: missing");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ConfigTest);

}  // namespace wirelay::ctrl
