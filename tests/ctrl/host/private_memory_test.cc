// Protects keys in memory from other processes of the same user, core dumps and the swap.
#include "ctrl/host/private_memory.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wirelay::ctrl {

namespace {

/// Whether `holds` holds in a process of its own: what is set there is for good.
template <typename Check>
bool in_a_child(Check holds) {
  const pid_t child = fork();
  if (child == 0) _exit(holds() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class PrivateMemoryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PrivateMemoryTest);
  CPPUNIT_TEST(not_dumpable);
  CPPUNIT_TEST(a_refused_lock_says_what_to_do);
  CPPUNIT_TEST_SUITE_END();

 public:
  void not_dumpable() {
    CPPUNIT_ASSERT(in_a_child([] {
      hide_memory();
      rlimit core{1, 1};
      getrlimit(RLIMIT_CORE, &core);
      return prctl(PR_GET_DUMPABLE) == 0 && core.rlim_cur == 0 && core.rlim_max == 0;
    }));
  }

  void a_refused_lock_says_what_to_do() {
#ifndef __SANITIZE_ADDRESS__  // which makes locking do nothing and succeed
    CPPUNIT_ASSERT(in_a_child([] {
      const rlimit none{0, 0};
      setrlimit(RLIMIT_MEMLOCK, &none);
      if (geteuid() == 0 && setuid(65534) != 0) return false;
      const auto refused = lock_memory();
      return refused && refused->find("CAP_IPC_LOCK") != std::string::npos;
    }));
#endif
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PrivateMemoryTest);

}  // namespace
}  // namespace wirelay::ctrl
