// Protects relayd as a program: it starts on any device without privileges, serves its socket,
// reloads, ends cleanly, and tells in one clear line why it cannot start.
#include <chrono>
#include <thread>

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/keys.h"
#include "ctrl/base/json.h"
#include "tests/ctrl/process.h"
#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

namespace {

class Relayd : public Process {
 public:
  Relayd(const std::vector<std::string>& arguments, const std::string& log)
      : Process(RELAYD, arguments, log) {}
};

/// -1: nobody listens, also where the socket's file is there already.
int connect_to(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

/// One call over the control socket.
Json::Value call(const std::string& path, const std::string& method) {
  const int fd = connect_to(path);
  CPPUNIT_ASSERT(fd >= 0);
  const std::string line = R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\"}\n";
  CPPUNIT_ASSERT(write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  std::string reply;
  for (char c; read(fd, &c, 1) == 1 && c != '\n';) reply += c;
  close(fd);
  return parse_json(reply, {});
}

class RelaydTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RelaydTest);
  CPPUNIT_TEST(starts_serves_reloads_and_ends);
  CPPUNIT_TEST(ends_while_devices_start);
  CPPUNIT_TEST(a_second_signal_kills_while_it_starts);
  CPPUNIT_TEST(many_buffers_without_huge_pages);
  CPPUNIT_TEST(two_relays_on_one_machine);
  CPPUNIT_TEST(one_clear_line);
  CPPUNIT_TEST(checks_only);
  CPPUNIT_TEST(command_line);
  CPPUNIT_TEST(nobody_reads_its_log);
  CPPUNIT_TEST(its_memory_is_its_own);
  CPPUNIT_TEST(memif_sockets_are_private);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    const std::string key = dir_.write("private.key", crypto::to_base64(crypto::Bytes32{1}));
    chmod(key.c_str(), 0600);
    socket_ = dir_.path("relayd.sock");
    write("\"users\": [{\"name\": \"alice\"}]");
  }

  void starts_serves_reloads_and_ends() {
    Relayd relay({file_}, dir_.path("log"));
    CPPUNIT_ASSERT_MESSAGE(relay.log(), relay.says("relayd "));
    Json::Value status = call(socket_, "status.get")["result"];
    CPPUNIT_ASSERT_EQUAL(1u, status["users"].asUInt());
    CPPUNIT_ASSERT_EQUAL(std::string("p"), status["ports"][0]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(2u, status["workers"].size());
    // No talk of DPDK's, and nothing that is secret.
    CPPUNIT_ASSERT(relay.log().find("EAL") == std::string::npos);

    write(R"("users": [{"name": "bob"}, {"name": "carol"}], "tunnel_addresses": ["10.77.0.1"])");
    relay.signal(SIGHUP);
    CPPUNIT_ASSERT(relay.says("users 2 added, 0 changed, 1 removed"));
    CPPUNIT_ASSERT(relay.says("in force only after a restart: tunnel_addresses"));
    CPPUNIT_ASSERT_EQUAL(2u, call(socket_, "status.get")["result"]["users"].asUInt());

    dir_.write("private.key", crypto::to_base64(crypto::Bytes32{0, 2}));
    relay.signal(SIGHUP);
    CPPUNIT_ASSERT(relay.says("only after a restart: identity, tunnel_addresses"));

    write(R"("users": [{"name": "bob"}, {"name": "bob"}])");
    const Json::Value refused = call(socket_, "config.reload");
    CPPUNIT_ASSERT(refused.isMember("error"));
    CPPUNIT_ASSERT_EQUAL(2u, call(socket_, "status.get")["result"]["users"].asUInt());

    relay.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(0, relay.wait());
    CPPUNIT_ASSERT(relay.log().find("stopped after") != std::string::npos);
    CPPUNIT_ASSERT(!std::filesystem::exists(socket_));
  }

  /// Held up while it starts, so that both signals are there when it goes on; it has begun to run
  /// when this test was slower than it.
  void a_second_signal_kills_while_it_starts() {
    Relayd relay({file_}, dir_.path("log"));
    CPPUNIT_ASSERT(relay.catches(SIGTERM));
    relay.signal(SIGSTOP);
    relay.signal(SIGTERM);
    relay.signal(SIGINT);
    relay.signal(SIGCONT);
    const int code = relay.wait();
    CPPUNIT_ASSERT_MESSAGE(relay.log(),
                           code == 128 + SIGTERM || code == 128 + SIGINT ||
                               (code == 0 && relay.log().find("relayd ") != std::string::npos));
  }

  void ends_while_devices_start() {
    for (const int number : {SIGTERM, SIGINT}) {
      Relayd relay({file_}, dir_.path("log"));
      // The socket comes first, DPDK after it.
      for (int i = 0; i < 30'000 && !std::filesystem::exists(socket_); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      relay.signal(number);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(relay.log(), 0, relay.wait());
      // On a fast machine it runs by then.
      const std::string log = relay.log();
      CPPUNIT_ASSERT_MESSAGE(
          log, log.find("stopped by a signal while it started") != std::string::npos ||
                   log.find(number == SIGTERM ? "stopping on SIGTERM" : "stopping on SIGINT") !=
                       std::string::npos);
      CPPUNIT_ASSERT(!std::filesystem::exists(socket_));
    }
  }

  /// A buffer takes a small page of its own then.
  void many_buffers_without_huge_pages() {
    write(R"("huge_pages": "never", "replay_window": 8192)", "", true,
          R"("users": 100000, "sessions": 400000, "mbufs": 32768)");
    Relayd relay({file_}, dir_.path("log"));
    CPPUNIT_ASSERT_MESSAGE(relay.log(), relay.says("relayd "));
    relay.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(relay.log(), 0, relay.wait());
  }

  void two_relays_on_one_machine() {
    Relayd first({file_}, dir_.path("log"));
    CPPUNIT_ASSERT(first.says("relayd "));
    Relayd same({file_}, dir_.path("same"));
    CPPUNIT_ASSERT_EQUAL(1, same.wait());
    CPPUNIT_ASSERT_MESSAGE(same.log(),
                           same.log().find("another relay serves it") != std::string::npos);
    socket_ = dir_.path("second.sock");
    write("\"users\": []");
    Relayd second({file_}, dir_.path("second"));
    CPPUNIT_ASSERT_MESSAGE(second.log(), second.says("relayd "));
    CPPUNIT_ASSERT_EQUAL(0u, call(socket_, "status.get")["result"]["users"].asUInt());
    CPPUNIT_ASSERT_EQUAL(1u,
                         call(dir_.path("relayd.sock"), "status.get")["result"]["users"].asUInt());
  }

  void one_clear_line() {
    assert_fails(R"("users": [)", "relayd.json:");
    assert_fails("\"users\": []", "DPDK has no driver for \"net_nosuch0\"", "net_nosuch0");
    assert_fails("\"users\": []", "there is no interface \"nosuch\"",
                 "net_af_packet0,iface=nosuch");
    assert_fails("\"users\": []", "this machine has no PCI device", "ffff:ff:1f.7");
    assert_fails("\"users\": []", "net_null1 does not start: ", "net_null1,no-such-argument=1");
  }

  void checks_only() {
    Relayd right({"--check", file_}, dir_.path("log"));
    CPPUNIT_ASSERT_EQUAL(0, right.wait());
    CPPUNIT_ASSERT(right.log().find("all right; users: 1, peers: 0") != std::string::npos);
    CPPUNIT_ASSERT(!std::filesystem::exists(socket_));
    // What another machine would have is only worth a warning.
    write("\"workers\": {\"cores\": [1023]}", "", false);
    Relayd elsewhere({"--check", file_}, dir_.path("log"));
    CPPUNIT_ASSERT_EQUAL(0, elsewhere.wait());
    CPPUNIT_ASSERT(elsewhere.log().find("this machine has no core 1023") != std::string::npos);
    write("\"replay_window\": 1");
    Relayd wrong({"--check", file_}, dir_.path("log"));
    CPPUNIT_ASSERT_EQUAL(1, wrong.wait());
    CPPUNIT_ASSERT(wrong.log().find("replay_window: found 1") != std::string::npos);
  }

  void command_line() {
    Relayd help({"--help"}, dir_.path("log"));
    CPPUNIT_ASSERT_EQUAL(0, help.wait());
    Relayd version({"--version"}, dir_.path("log"));
    CPPUNIT_ASSERT_EQUAL(0, version.wait());
    CPPUNIT_ASSERT(version.log().starts_with("relayd "));
    Relayd wrong({"--no-such-option"}, dir_.path("log"));
    CPPUNIT_ASSERT_EQUAL(2, wrong.wait());
  }

  /// The pipe is full from the start.
  void nobody_reads_its_log() {
    const std::string pipe = dir_.path("pipe");
    CPPUNIT_ASSERT_EQUAL(0, mkfifo(pipe.c_str(), 0600));
    const int fd = open(pipe.c_str(), O_RDWR | O_NONBLOCK);
    const std::string block(4096, '.');
    while (::write(fd, block.data(), block.size()) > 0) continue;
    Relayd relay({file_}, pipe);
    int first = -1;
    for (int i = 0; i < 3000 && (first = connect_to(socket_)) < 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    close(first);
    CPPUNIT_ASSERT_EQUAL(1u, call(socket_, "status.get")["result"]["users"].asUInt());
    write(R"("users": [{"name": "bob"}, {"name": "carol"}])");
    CPPUNIT_ASSERT(call(socket_, "config.reload").isMember("result"));
    relay.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(0, relay.wait());
    close(fd);
  }

  void its_memory_is_its_own() {
    Relayd relay({file_}, dir_.path("log"));
    CPPUNIT_ASSERT_MESSAGE(relay.log(), relay.says("relayd "));
    const std::string proc = "/proc/" + std::to_string(relay.pid());
    const std::string no_core = "Max core file size        0                    0 ";
    CPPUNIT_ASSERT(text_of(proc + "/limits").find(no_core) != std::string::npos);
#ifndef __SANITIZE_ADDRESS__  // which makes locking do nothing and succeed
    // Locked behind the line that says that it runs: all that a relay begins with is there then.
    const auto locked = [&] {
      return text_of(proc + "/status").find("VmLck:\t       0 kB") == std::string::npos;
    };
    const auto refused = [&] {
      return relay.log().find("memory cannot be locked") != std::string::npos;
    };
    for (int i = 0; i < 3000 && !locked() && !refused(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CPPUNIT_ASSERT_MESSAGE(relay.log(), locked() || refused());
#endif
    relay.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(relay.log(), 0, relay.wait());
  }

  /// Also where a killed relay left its socket behind.
  void memif_sockets_are_private() {
    const std::string memif = dir_.path("memif.sock");
    write("\"users\": []", "net_memif0,role=server,socket=" + memif);
    for (int i = 0; i < 2; ++i) {
      Relayd relay({file_}, dir_.path("log"));
      CPPUNIT_ASSERT_MESSAGE(relay.log(), relay.says("relayd "));
      struct stat info {};
      CPPUNIT_ASSERT_EQUAL(0, stat(memif.c_str(), &info));
      CPPUNIT_ASSERT(S_ISSOCK(info.st_mode));
      CPPUNIT_ASSERT_EQUAL(mode_t{0}, info.st_mode & 077);
      relay.signal(SIGKILL);
      relay.wait();
    }
  }

 private:
  static std::string text_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Two workers that share the first core, on devices that need nothing.
  /// `extra` may name a store: else there is none.
  void write(const std::string& extra, const std::string& second_device = "", bool workers = true,
             const std::string& sizes = "\"mbufs\": 4096") {
    std::string ports =
        R"({"name": "p", "device": "net_null0,no-rx=1", "addresses": ["192.0.2.1/24"]})";
    if (!second_device.empty()) {
      ports += R"(, {"name": "q", "device": ")" + second_device +
               R"(", "addresses": ["198.51.100.1/24"]})";
    }
    file_ = dir_.write(
        "relayd.json",
        R"({"identity": {"private_key_file": "private.key"}, "ports": [)" + ports +
            "], \"control_socket\": \"" + socket_ + "\", " +
            (extra.find("\"store\"") == std::string::npos ? R"("store": "none", )" : "") +
            R"("http": {"listen": "none"}, )" +
            (workers ? R"("workers": {"cores": [0, 0]}, )" : "") + "\"sizes\": {" + sizes + "}, " +
            extra + "}");
  }
  void assert_fails(const std::string& extra, const std::string& part,
                    const std::string& second_device = "") {
    write(extra, second_device);
    Relayd relay({file_}, dir_.path("log"));
    CPPUNIT_ASSERT_EQUAL(1, relay.wait());
    const std::string log = relay.log();
    CPPUNIT_ASSERT_MESSAGE(log, log.find(part) != std::string::npos);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(log, log.size() - 1, log.find('\n'));
    CPPUNIT_ASSERT(!std::filesystem::exists(socket_));
  }

  test::TempDir dir_;
  std::string file_, socket_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(RelaydTest);

}  // namespace
}  // namespace wirelay::ctrl
