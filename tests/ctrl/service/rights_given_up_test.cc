// Protects what a serving relay has given up: capabilities but the named ones, in every thread, and
// system calls that are none of its work, which end it with a line. In children: it is for good.
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctrl/service/capabilities.h"
#include "ctrl/service/system_calls.h"
#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

namespace {

constexpr CapabilitySet one(unsigned capability) { return CapabilitySet{1} << capability; }

Config with_device(const std::string& device) {
  Config config;
  config.ports.emplace_back().device = device;
  return config;
}

class RightsGivenUpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RightsGivenUpTest);
  CPPUNIT_TEST(what_a_configuration_keeps);
  CPPUNIT_TEST(all_threads_lose_the_rest);
  CPPUNIT_TEST(work_goes_on_behind_the_lists);
  CPPUNIT_TEST(other_calls_end_it_with_a_line);
  CPPUNIT_TEST(written_memory_is_not_executed);
  CPPUNIT_TEST_SUITE_END();

 public:
  void what_a_configuration_keeps() {
    const Config memif = with_device("net_memif0,role=server"),
                 veth = with_device("net_af_packet0,iface=e");
    CPPUNIT_ASSERT_EQUAL(CapabilitySet{0}, capabilities_kept(memif, false, false));
    CPPUNIT_ASSERT_EQUAL(one(CAP_NET_ADMIN), capabilities_kept(veth, false, false));
    CPPUNIT_ASSERT_EQUAL(one(CAP_NET_ADMIN),
                         capabilities_kept(with_device("net_tap0"), false, false));
    CPPUNIT_ASSERT_EQUAL(one(CAP_IPC_LOCK), capabilities_kept(memif, true, false));
    CPPUNIT_ASSERT_EQUAL(one(CAP_DAC_OVERRIDE), capabilities_kept(memif, false, true));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), text_of_capabilities(0));
    CPPUNIT_ASSERT_EQUAL(std::string("CAP_NET_ADMIN, CAP_IPC_LOCK"),
                         text_of_capabilities(one(CAP_NET_ADMIN) | one(CAP_IPC_LOCK)));
  }

  void all_threads_lose_the_rest() {
    const auto [status, said] = in_a_child([] {
      std::atomic<bool> end{false};
      CapabilitySet of_other = ~CapabilitySet{0};
      std::jthread other([&] {
        while (!end) std::this_thread::yield();
        of_other = capabilities_here();
      });
      const CapabilitySet kept = capabilities_here() & one(CAP_DAC_OVERRIDE);
      const std::string refused = keep_capabilities(kept);
      end = true;
      other.join();
      return refused.empty() && capabilities_here() == kept && of_other == kept &&
             prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    });
    CPPUNIT_ASSERT_EQUAL_MESSAGE(said, 0, status);
  }

  void work_goes_on_behind_the_lists() {
    if (!can_restrict_system_calls()) return;
    const auto [status, said] = in_a_child([] {
      if (!restricted().empty()) return false;
      std::thread([] { std::string(1 << 20, 'x').shrink_to_fit(); }).join();
      const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
      return fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0;
    });
    CPPUNIT_ASSERT_EQUAL_MESSAGE(said, 0, status);
  }

  void other_calls_end_it_with_a_line() {
    if (!can_restrict_system_calls()) return;
    const auto [status, said] = in_a_child([] {
      if (!restricted().empty()) return false;
      std::thread([] { execl("/bin/true", "true", nullptr); }).join();
      return true;
    });
    CPPUNIT_ASSERT_EQUAL_MESSAGE(said, 128 + SIGSYS, status);
    CPPUNIT_ASSERT_MESSAGE(
        said, said.find("system call that is none of its work: execve;") != std::string::npos);
  }

  void written_memory_is_not_executed() {
    if (!can_restrict_system_calls()) return;
    const auto [status, said] = in_a_child([] {
      if (!restricted().empty()) return false;
      return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0) == nullptr;
    });
    CPPUNIT_ASSERT_EQUAL_MESSAGE(said, 128 + SIGSYS, status);
  }

 private:
  struct End {
    int status;  // 0: it was right; 128 + the signal that ended it
    std::string said;
  };
  static End in_a_child(const std::function<bool()>& act) {
    const test::TempDir dir;
    const std::string file = dir.path("said");
    const pid_t child = fork();
    if (child == 0) {
      const int fd = open(file.c_str(), O_CREAT | O_WRONLY, 0600);
      dup2(fd, STDERR_FILENO);
      _exit(act() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::ifstream in(file);
    return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
            {std::istreambuf_iterator<char>(in), {}}};
  }
  static std::string restricted() {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return restrict_system_calls(Config());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RightsGivenUpTest);

}  // namespace
}  // namespace wirelay::ctrl
