// Runs every registered CppUnit suite, or those whose name holds an argument; prints each test's
// name as it runs and ends with one line, "N passed, N failed".
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <cppunit/BriefTestProgressListener.h>
#include <cppunit/CompilerOutputter.h>
#include <cppunit/Test.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include "tests/support/test_environment.h"

namespace {

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
  CppUnit::BriefTestProgressListener progress;
  result.addListener(&collector);
  result.addListener(&progress);
  for (CppUnit::Test* test : chosen) result.runTest(test);
  CppUnit::CompilerOutputter(&collector, std::cerr).write();
  const int failed = collector.testFailuresTotal();
  std::cout << collector.runTests() - failed << " passed, " << failed << " failed" << std::endl;
  wirelay::test::stop_environment();
  return collector.wasSuccessful() && collector.runTests() > 0 ? 0 : 1;
}
