// Runs every registered CppUnit suite, or those tests whose name holds an argument; prints each
// test's name as it runs, how it ended, and where that was a second or more how long it took. Ends
// with one line, "N passed, N failed".
#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <cppunit/CompilerOutputter.h>
#include <cppunit/Test.h>
#include <cppunit/TestListener.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include "tests/support/test_environment.h"

namespace {

using Clock = std::chrono::steady_clock;

class Progress : public CppUnit::TestListener {
 public:
  void startTest(CppUnit::Test* test) override {
    std::cout << test->getName() << ": " << std::flush;  // who dies is named
    failed_ = false;
    began_ = Clock::now();
  }
  void addFailure(const CppUnit::TestFailure&) override { failed_ = true; }
  void endTest(CppUnit::Test*) override {
    const double took = std::chrono::duration<double>(Clock::now() - began_).count();
    std::cout << (failed_ ? "FAILED" : "ok");
    if (took >= 1) std::cout << " (" << std::fixed << std::setprecision(1) << took << " s)";
    std::cout << std::endl;
  }

 private:
  bool failed_ = false;
  Clock::time_point began_;
};

/// Tests below `test` whose name holds `wanted`; they stay its own.
void find_matching(CppUnit::Test* test, const std::string& wanted,
                   std::vector<CppUnit::Test*>& found) {
  if (test->getChildTestCount() == 0) {
    if (test->getName().find(wanted) != std::string::npos) found.push_back(test);
    return;
  }
  for (int i = 0; i < test->getChildTestCount(); ++i) {
    find_matching(test->getChildTestAt(i), wanted, found);
  }
}

}  // namespace

int main(int argc, char** argv) {
  wirelay::test::start_environment(argv[0]);
  const std::unique_ptr<CppUnit::Test> all(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  std::vector<CppUnit::Test*> chosen;
  if (argc < 2) chosen.push_back(all.get());
  for (int i = 1; i < argc; ++i) find_matching(all.get(), argv[i], chosen);
  CppUnit::TestResult result;
  CppUnit::TestResultCollector collector;
  Progress progress;
  result.addListener(&collector);
  result.addListener(&progress);
  for (CppUnit::Test* test : chosen) result.runTest(test);
  CppUnit::CompilerOutputter(&collector, std::cerr).write();
  const int failed = collector.testFailuresTotal();
  std::cout << collector.runTests() - failed << " passed, " << failed << " failed" << std::endl;
  wirelay::test::stop_environment();
  return collector.wasSuccessful() && collector.runTests() > 0 ? 0 : 1;
}
