// Protects reloads: the file is read while the control thread goes on, what it says is applied by
// the control thread alone, and nobody who asked is answered by a file that was read before.
#include "ctrl/config/reloader.h"

#include <future>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

class ReloaderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReloaderTest);
  CPPUNIT_TEST(is_applied_on_the_loops_thread);
  CPPUNIT_TEST(who_asks_meanwhile_gets_a_later_reading);
  CPPUNIT_TEST(other_options_are_another_reload);
  CPPUNIT_TEST(a_wrong_file_is_refused);
  CPPUNIT_TEST(a_missing_key_is_refused);
  CPPUNIT_TEST(without_a_thread_it_is_refused);
  CPPUNIT_TEST(ends_while_one_is_reading);
  CPPUNIT_TEST(a_reading_that_hangs_is_left_to_itself);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    key_file_ = dir_.write("private.key", crypto::to_base64(key_) + "\n");
    chmod(key_file_.c_str(), 0600);
    write(51820);
  }

  void is_applied_on_the_loops_thread() {
    std::thread::id applied_by;
    Reloader reloader(file_, loop_, [&](auto loaded, const ReloadOptions&, auto done) {
      applied_by = std::this_thread::get_id();
      CPPUNIT_ASSERT_EQUAL(uint16_t{51820}, loaded->config.udp_ports.front());
      CPPUNIT_ASSERT(loaded->identity == crypto::derive_public_key(crypto::Secret(key_)));
      done({.error = nullptr, .counts = {.users_added = 3}});
    });
    reloader.ask({}, note());
    run(1);
    CPPUNIT_ASSERT(applied_by == std::this_thread::get_id());
    CPPUNIT_ASSERT(!outcomes_[0].error);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, outcomes_[0].counts.users_added);
  }

  void who_asks_meanwhile_gets_a_later_reading() {
    std::vector<uint16_t> applied;
    Reloader reloader(file_, loop_, [&](auto loaded, const ReloadOptions&, auto done) {
      applied.push_back(loaded->config.udp_ports.front());
      write(51999);  // before the second reading begins
      done({});
    });
    for (int i = 0; i < 3; ++i) reloader.ask({}, note());
    run(3);
    CPPUNIT_ASSERT(applied == std::vector<uint16_t>({51820, 51999}));
  }

  void other_options_are_another_reload() {
    std::vector<bool> dry;
    Reloader reloader(file_, loop_, [&](auto, const ReloadOptions& options, auto done) {
      dry.push_back(options.dry_run);
      done({});
    });
    reloader.ask({}, note());
    reloader.ask({.dry_run = true}, note());
    reloader.ask({}, note());
    run(3);
    CPPUNIT_ASSERT(dry == std::vector<bool>({false, true, false}));
  }

  void a_wrong_file_is_refused() {
    Reloader reloader(file_, loop_, [](auto, const ReloadOptions&, auto) {
      CPPUNIT_FAIL("applied a wrong file");
    });
    dir_.write("relayd.json", "{\"ports\": 5}");
    reloader.ask({}, note());
    run(1);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcomes_[0].error), Refused);
  }

  void a_missing_key_is_refused() {
    int applied = 0;
    Reloader reloader(file_, loop_, [&](auto, const ReloadOptions&, auto done) {
      ++applied;
      done({});
    });
    unlink(key_file_.c_str());
    reloader.ask({}, note());
    run(1);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcomes_[0].error), Refused);
    CPPUNIT_ASSERT_EQUAL(0, applied);
    setUp();  // and the next one does not suffer from it
    reloader.ask({}, note());
    run(2);
    CPPUNIT_ASSERT(!outcomes_[1].error && applied == 1);
  }

  void without_a_thread_it_is_refused() {
    const pid_t child = fork();
    if (child == 0) {
      Reloader reloader(file_, loop_, [](auto, const ReloadOptions&, auto) { _exit(2); });
      const rlimit none{0, 0};
      setrlimit(RLIMIT_NPROC, &none);
      if (getuid() == 0 && setuid(kNobody) != 0) _exit(4);  // root has no such limit
      reloader.ask({}, [](const ReloadOutcome& outcome) { _exit(outcome.error ? 0 : 1); });
      loop_.run();
      _exit(3);
    }
    int status = 0;
    CPPUNIT_ASSERT_EQUAL(child, waitpid(child, &status, 0));
    CPPUNIT_ASSERT(WIFEXITED(status));
    CPPUNIT_ASSERT_EQUAL(0, WEXITSTATUS(status));
  }

  void ends_while_one_is_reading() {
    {
      Reloader reloader(file_, loop_, [](auto, const ReloadOptions&, auto) {
        CPPUNIT_FAIL("applied after the end");
      });
      reloader.ask({}, note());
      reloader.ask({}, note());
    }
    CPPUNIT_ASSERT(outcomes_.empty());
  }

  /// It would hang for ever if the reloader waited for it.
  void a_reading_that_hangs_is_left_to_itself() {
    struct Hanging {
      std::promise<void> begun, go_on;
      std::promise<bool> told_to_stop;
    };
    const auto hanging = std::make_shared<Hanging>();
    {
      Reloader reloader(
          file_, loop_,
          [](auto, const ReloadOptions&, auto) { CPPUNIT_FAIL("applied after the end"); },
          [hanging](const std::string&, const std::stop_token& stop) {
            hanging->begun.set_value();
            hanging->go_on.get_future().wait();
            hanging->told_to_stop.set_value(stop.stop_requested());
            return Config();
          });
      reloader.ask({}, note());
      hanging->begun.get_future().wait();
    }
    hanging->go_on.set_value();
    CPPUNIT_ASSERT(hanging->told_to_stop.get_future().get());
    CPPUNIT_ASSERT(outcomes_.empty());
  }

 private:
  Reloader::Done note() {
    return [this](const ReloadOutcome& outcome) {
      outcomes_.push_back(outcome);
      loop_.stop();
    };
  }
  /// Until so many reloads have ended.
  void run(size_t ended) {
    while (outcomes_.size() < ended) loop_.run();
  }
  void write(uint16_t udp_port) {
    file_ =
        dir_.write("relayd.json", R"({"identity": {"private_key_file": ")" + key_file_ +
                                      R"("}, "listen": {"udp_port": )" + std::to_string(udp_port) +
                                      R"(}, "workers": {"cores": [0]}, "ports": [
                           {"name": "wan", "device": "net_null0", "egress": true,
                            "addresses": ["198.51.100.1/24"], "gateways": ["198.51.100.254"]}]})");
  }

  static constexpr uid_t kNobody = 65534;
  const crypto::Bytes32 key_{1, 2, 3};
  EventLoop loop_;
  std::vector<ReloadOutcome> outcomes_;
  test::TempDir dir_;
  std::string key_file_, file_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReloaderTest);

}  // namespace wirelay::ctrl
