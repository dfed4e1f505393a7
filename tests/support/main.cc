// Runs every registered CppUnit suite, or those whose name holds an argument; prints each test's
// name as it runs and ends with one line, "N passed, N failed".
#include <cppunit/BriefTestProgressListener.h>
#include <cppunit/CompilerOutputter.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/TestRunner.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <iostream>
#include <string>

#include "tests/support/test_environment.h"

namespace {

void add_matching(CppUnit::Test* test, const std::string& wanted, CppUnit::TestRunner& runner) {
  if (test->getChildTestCount() == 0) {
    if (test->getName().find(wanted) != std::string::npos) runner.addTest(test);
    return;
  }
  for (int i = 0; i < test->getChildTestCount(); ++i) {
    add_matching(test->getChildTestAt(i), wanted, runner);
  }
}

}  // namespace

int main(int argc, char** argv) {
  wirelay::test::start_environment(argv[0]);
  CppUnit::Test* all = CppUnit::TestFactoryRegistry::getRegistry().makeTest();
  CppUnit::TestRunner runner;
  if (argc < 2) {
    runner.addTest(all);
  } else {
    for (int i = 1; i < argc; ++i) add_matching(all, argv[i], runner);
  }
  CppUnit::TestResult result;
  CppUnit::TestResultCollector collector;
  CppUnit::BriefTestProgressListener progress;
  result.addListener(&collector);
  result.addListener(&progress);
  runner.run(result);
  CppUnit::CompilerOutputter(&collector, std::cerr).write();
  const int failed = collector.testFailuresTotal();
  std::cout << collector.runTests() - failed << " passed, " << failed << " failed" << std::endl;
  wirelay::test::stop_environment();
  return collector.wasSuccessful() && collector.runTests() > 0 ? 0 : 1;
}
