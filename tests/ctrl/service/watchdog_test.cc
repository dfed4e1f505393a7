// Protects signs of life: the service manager hears that the relay is ready, and then of it twice
// in its patience, but not when a worker stands still.
#include "ctrl/service/watchdog.h"

#include <cstdlib>
#include <string>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

namespace {

class WatchdogTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WatchdogTest);
  CPPUNIT_TEST(nobody_asks);
  CPPUNIT_TEST(what_is_told_is_heard);
  CPPUNIT_TEST(a_name_that_is_in_no_file_system);
  CPPUNIT_TEST(another_process_is_watched);
  CPPUNIT_TEST(a_worker_that_stands_still);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { listen(dir_.path("notify")); }
  void tearDown() override {
    close(socket_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }

  void nobody_asks() {
    unsetenv("NOTIFY_SOCKET");
    const ServiceManager manager;
    manager.tell("READY=1");
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, int64_t{manager.patience().count()});
    CPPUNIT_ASSERT_EQUAL(std::string(), heard());
  }

  void what_is_told_is_heard() {
    const ServiceManager manager;
    manager.tell("READY=1");
    CPPUNIT_ASSERT_EQUAL(std::string("READY=1"), heard());
  }

  void a_name_that_is_in_no_file_system() {
    close(socket_);
    listen("@wirelay-watchdog-test-" + std::to_string(getpid()));
    ServiceManager().tell("READY=1");
    CPPUNIT_ASSERT_EQUAL(std::string("READY=1"), heard());
  }

  void another_process_is_watched() {
    setenv("WATCHDOG_USEC", "20000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, int64_t{ServiceManager().patience().count()});
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    CPPUNIT_ASSERT_EQUAL(int64_t{20'000'000}, int64_t{ServiceManager().patience().count()});
  }

  void a_worker_that_stands_still() {
    setenv("WATCHDOG_USEC", "20000000", 1);
    constexpr uint64_t kSecond = 1'000'000'000;
    const ServiceManager manager;
    dataplane::WorkerCounters a, b;
    Watchdog watchdog(manager, {&a, &b}, 100 * kSecond);
    watchdog.tick(109 * kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string(), heard());
    a.polls.add(1);
    b.polls.add(1);
    watchdog.tick(110 * kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string("WATCHDOG=1"), heard());
    a.polls.add(1);
    watchdog.tick(120 * kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string(), heard());
    a.polls.add(1);
    b.polls.add(1);
    watchdog.tick(130 * kSecond);
    CPPUNIT_ASSERT_EQUAL(std::string("WATCHDOG=1"), heard());
  }

 private:
  void listen(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    CPPUNIT_ASSERT_EQUAL(0, bind(socket_, reinterpret_cast<const sockaddr*>(&address), size));
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  /// The next message, or "" when there is none.
  std::string heard() const {
    char text[256];
    const ssize_t size = recv(socket_, text, sizeof text, MSG_DONTWAIT);
    return {text, static_cast<size_t>(std::max<ssize_t>(size, 0))};
  }

  test::TempDir dir_;
  int socket_ = -1;
};

CPPUNIT_TEST_SUITE_REGISTRATION(WatchdogTest);

}  // namespace
}  // namespace wirelay::ctrl
