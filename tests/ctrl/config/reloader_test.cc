// Protects reloads: the file is read while the control thread goes on, what it says is applied by
// the control thread alone, and nobody who asked is answered by a file that was read before.
#include "ctrl/config/reloader.h"

#include <chrono>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

class ReloaderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReloaderTest);
  CPPUNIT_TEST(is_applied_by_who_polls);
  CPPUNIT_TEST(who_asks_meanwhile_gets_a_later_reading);
  CPPUNIT_TEST(a_wrong_file_is_refused);
  CPPUNIT_TEST(a_missing_key_is_refused);
  CPPUNIT_TEST(what_cannot_be_applied_is_refused);
  CPPUNIT_TEST(ends_while_one_is_reading);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    key_file_ = dir_.write("private.key", crypto::to_base64(key_) + "\n");
    chmod(key_file_.c_str(), 0600);
    write(51820);
  }

  void is_applied_by_who_polls() {
    std::thread::id applied_by;
    Reloader reloader(file_, [&](const Config& next, const crypto::PublicKey& identity) {
      applied_by = std::this_thread::get_id();
      CPPUNIT_ASSERT_EQUAL(uint16_t{51820}, next.udp_port);
      CPPUNIT_ASSERT(identity == crypto::derive_public_key(crypto::Secret(key_)));
      return ReloadResult{.users_added = 3, .needs_restart = {}};
    });
    reloader.poll();  // nothing to do
    const auto reload = reloader.ask();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CPPUNIT_ASSERT(!reload->done());  // nobody has polled
    await(reloader, *reload);
    CPPUNIT_ASSERT(applied_by == std::this_thread::get_id());
    CPPUNIT_ASSERT(!reload->error);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, reload->result->users_added);
  }

  void who_asks_meanwhile_gets_a_later_reading() {
    std::vector<uint16_t> applied;
    Reloader reloader(file_, [&](const Config& next, const crypto::PublicKey&) {
      applied.push_back(next.udp_port);
      write(51999);  // before the second reading begins
      return ReloadResult{};
    });
    const auto first = reloader.ask();
    const auto second = reloader.ask();
    const auto third = reloader.ask();
    CPPUNIT_ASSERT(first != second && second == third);
    await(reloader, *first);
    CPPUNIT_ASSERT(!second->done());
    await(reloader, *second);
    CPPUNIT_ASSERT(applied == std::vector<uint16_t>({51820, 51999}));
  }

  void a_wrong_file_is_refused() {
    Reloader reloader(file_, [](const Config&, const crypto::PublicKey&) -> ReloadResult {
      CPPUNIT_FAIL("applied a wrong file");
      return {};
    });
    dir_.write("relayd.json", "{\"ports\": 5}");
    const auto reload = reloader.ask();
    await(reloader, *reload);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(reload->error), Refused);
    CPPUNIT_ASSERT(!reload->result);
  }

  void a_missing_key_is_refused() {
    int applied = 0;
    Reloader reloader(file_, [&](const Config&, const crypto::PublicKey&) {
      ++applied;
      return ReloadResult{};
    });
    unlink(key_file_.c_str());
    const auto reload = reloader.ask();
    await(reloader, *reload);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(reload->error), Refused);
    CPPUNIT_ASSERT_EQUAL(0, applied);
    setUp();  // and the next one does not suffer from it
    const auto again = reloader.ask();
    await(reloader, *again);
    CPPUNIT_ASSERT(again->result && applied == 1);
  }

  void what_cannot_be_applied_is_refused() {
    Reloader reloader(file_, [](const Config&, const crypto::PublicKey&) -> ReloadResult {
      throw Refused("users[0].name", "is taken");
    });
    const auto reload = reloader.ask();
    await(reloader, *reload);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(reload->error), Refused);
  }

  void ends_while_one_is_reading() {
    std::shared_ptr<const Reload> reload;
    {
      Reloader reloader(file_, [](const Config&, const crypto::PublicKey&) -> ReloadResult {
        CPPUNIT_FAIL("applied after the end");
        return {};
      });
      reload = reloader.ask();
      reloader.ask();
    }
    CPPUNIT_ASSERT(!reload->done());
  }

 private:
  static void await(Reloader& reloader, const Reload& reload) {
    while (!reload.done()) {  // the test's own time limit ends what never comes
      reloader.poll();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void write(uint16_t udp_port) {
    file_ =
        dir_.write("relayd.json", R"({"identity": {"private_key_file": ")" + key_file_ +
                                      R"("}, "listen": {"udp_port": )" + std::to_string(udp_port) +
                                      R"(}, "workers": {"cores": [0]}, "ports": [
                           {"name": "wan", "device": "net_null0", "egress": true,
                            "addresses": ["198.51.100.1/24"], "gateways": ["198.51.100.254"]}]})");
  }

  const crypto::Bytes32 key_{1, 2, 3};
  test::TempDir dir_;
  std::string key_file_, file_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReloaderTest);

}  // namespace wirelay::ctrl
