// Protects the configuration file: all of it is checked before any of it is believed, every problem
// is told with its path, and a reload knows what it cannot change.
#include "ctrl/config/config.h"

#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

namespace {

const std::string kKey = crypto::to_base64(crypto::Bytes32{1, 2, 3});
const std::string kOtherKey = crypto::to_base64(crypto::Bytes32{4, 5, 6});

constexpr const char* kPorts = R"("ports": [
    {"name": "wan", "device": "net_af_packet0,iface=eth0",
     "addresses": ["198.51.100.1/24", "2001:db8::1/64"], "gateways": ["198.51.100.254"]},
    {"name": "inet", "device": "0000:3b:00.1", "addresses": ["192.0.2.2/24"],
     "gateways": ["192.0.2.1"], "egress": true}])";

class ConfigTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ConfigTest);
  CPPUNIT_TEST(defaults);
  CPPUNIT_TEST(everything);
  CPPUNIT_TEST(examples_are_right);
  CPPUNIT_TEST(unreadable_files);
  CPPUNIT_TEST(reading_ends_when_it_is_told_to);
  CPPUNIT_TEST(pipes_and_devices_are_refused);
  CPPUNIT_TEST(private_keys);
  CPPUNIT_TEST(fields);
  CPPUNIT_TEST(ports);
  CPPUNIT_TEST(cross_checks);
  CPPUNIT_TEST(warnings);
  CPPUNIT_TEST(all_problems_at_once);
  CPPUNIT_TEST(long_lists_that_are_all_wrong);
  CPPUNIT_TEST(users_keep_the_rules);
  CPPUNIT_TEST(users_file);
  CPPUNIT_TEST(restart);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    key_file_ = dir_.write("private.key", kKey + "\n");
    chmod(key_file_.c_str(), 0600);
  }

  void defaults() {
    const Config config = load();
    CPPUNIT_ASSERT_EQUAL(key_file_, config.private_key_file);
    CPPUNIT_ASSERT_EQUAL(uint16_t{51820}, config.udp_port);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, config.ports.size());
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, config.ports[0].mtu);
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
      "control_socket": "/tmp/x.sock", "log_level": "debug")");
    CPPUNIT_ASSERT_EQUAL(uint16_t{51821}, config.udp_port);
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
      CPPUNIT_FAIL("read to the end: " + lines_of(refused).front());
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
        {R"("users": {})", "users: found an object, expected a list"},
    };
    for (const auto& [extra, problem] : bad) assert_refused(extra, "relayd.json: " + problem);
  }

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
        {port(address + R"(, "macs": 1)"), "ports[0].macs: unknown field"},
    };
    for (const auto& [text, problem] : bad) {
      assert_refused_ports(text, "relayd.json: " + problem);
    }
    assert_refused_ports(R"("ports": [{"name": "", "device": "", "addresses": ["192.0.2.2/24"]}])",
                         "ports[0].device: found \"\"");
    // A hosting provider's gateway.
    write(port(R"(, "addresses": ["2001:db8::2/64"], "gateways": ["fe80::1"], "egress": true)"));
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
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

 private:
  void write(const std::string& fields) {
    file_ = dir_.write("relayd.json",
                       R"({"identity": {"private_key_file": "private.key"}, )" + fields + "}");
  }
  Config load(const std::string& extra = "") {
    write(kPorts + (extra.empty() ? "" : ", " + extra));
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
    return load_config(file_);
  }
  static std::string problems_of(const std::string& file) {
    std::string text;
    try {
      load_config(file);
    } catch (const Refused& refused) {
      for (const Problem& p : refused.problems) text += p.path + ": " + p.message + '\n';
    }
    return text;
  }
  static void assert_problem(const std::string& file, const std::string& part) {
    const std::string problems = problems_of(file);
    CPPUNIT_ASSERT_MESSAGE(part + " is not in: " + problems,
                           problems.find(part) != std::string::npos);
  }
  /// The warnings of a right file, without its name in front.
  std::string warned(const std::string& fields) {
    write(fields);
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
    std::string text;
    for (const std::string& warning : load_config(file_).warnings) {
      CPPUNIT_ASSERT(warning.starts_with(file_ + ": "));
      text += warning.substr(file_.size() + 2) + '\n';
    }
    return text;
  }
  void assert_refused(const std::string& extra, const std::string& part) {
    assert_refused_ports(kPorts + (extra.empty() ? "" : ", " + extra), part);
  }
  void assert_refused_ports(const std::string& fields, const std::string& part) {
    write(fields);
    assert_problem(file_, part);
  }

  test::TempDir dir_;
  std::string key_file_, file_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ConfigTest);

}  // namespace
}  // namespace wirelay::ctrl
