// Protects a private key that was made by "peer add --generate" from a connection that breaks: the
// client file comes all the same, unless nothing was asked for.
#include <thread>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/cli/relayctl_fixture.h"
#include "tests/support/temp_dir.h"

namespace wirelay::cli {

namespace {

/// A relay that says yes to so many requests of one client, takes one more, and goes.
class DyingRelay {
 public:
  DyingRelay(const std::string& path, int answers) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    CPPUNIT_ASSERT_EQUAL(0, bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    CPPUNIT_ASSERT_EQUAL(0, listen(fd_, 1));
    thread_ = std::jthread([this, answers] { serve(answers); });
  }
  ~DyingRelay() {
    shutdown(fd_, SHUT_RDWR);  // nobody may have come
    thread_.join();
    close(fd_);
  }
  DyingRelay(const DyingRelay&) = delete;
  DyingRelay& operator=(const DyingRelay&) = delete;

 private:
  void serve(int answers) const {
    const int client = accept(fd_, nullptr, nullptr);
    if (client < 0) return;
    for (int i = 1; i <= answers + 1; ++i) {
      for (char c = 0; c != '\n' && read(client, &c, 1) == 1;) continue;
      if (i > answers) break;
      const std::string reply = R"({"jsonrpc":"2.0","id":)" + std::to_string(i) +
                                R"(,"result":{"peers_added":1}})"
                                "\n";
      send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
    }
    close(client);
  }
  int fd_;
  std::jthread thread_;
};

class LostConnectionTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(LostConnectionTest);
  CPPUNIT_TEST(before_the_peer_is_known_to_be_added);
  CPPUNIT_TEST(behind_it);
  CPPUNIT_TEST(into_a_file);
  CPPUNIT_TEST(nobody_was_asked);
  CPPUNIT_TEST_SUITE_END();

 public:
  void before_the_peer_is_known_to_be_added() { assert_printed(0); }
  void behind_it() { assert_printed(1); }

  void into_a_file() {
    const DyingRelay relay(socket_, 1);
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, add({"--output", dir_.path("phone.conf")}));
    CPPUNIT_ASSERT_EQUAL(std::string(), out_);
    has(test::text_of(dir_.path("phone.conf")), "\nPrivateKey = ");
  }

  void nobody_was_asked() {
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, add({}));
    CPPUNIT_ASSERT_EQUAL(std::string(), out_);
    has_not(err_, "private key");
  }

 private:
  void assert_printed(int answers) {
    const DyingRelay relay(socket_, answers);
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, add({"--generate-psk"}));
    has(out_, "# phone, user alice\n[Interface]\nPrivateKey = ");
    has(out_, "Address = 10.77.0.2/32\n");
    has(out_, "\nPresharedKey = ");
    has(out_, "# PublicKey = the relay's");
    has(out_, "# Endpoint = ");
    has(err_, "whether phone was added");
  }
  int add(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"peer",     "add",        "phone",         "--user",
                                      "alice",    "--generate", "--allowed-ips", "10.77.0.2/32",
                                      "--socket", socket_};
    words.insert(words.end(), more.begin(), more.end());
    return run_words(words);
  }
  test::TempDir dir_;
  const std::string socket_ = dir_.path("relay.sock");
};

CPPUNIT_TEST_SUITE_REGISTRATION(LostConnectionTest);

}  // namespace
}  // namespace wirelay::cli
