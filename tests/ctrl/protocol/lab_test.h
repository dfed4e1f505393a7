// What the suites of the protocol share: a lab for each test, and no buffer lost by any.
#pragma once

#include <memory>

#include <cppunit/TestAssert.h>
#include <cppunit/TestFixture.h>

#include "tests/ctrl/protocol/lab.h"

namespace wirelay::test {

class LabTest : public CppUnit::TestFixture {
 public:
  void setUp() override { lab_ = std::make_unique<Lab>(); }
  void tearDown() override {
    CPPUNIT_ASSERT_EQUAL(0u, lab_->close());
    lab_.reset();
  }

 protected:
  Side& a() { return *lab_->a; }
  Side& b() { return *lab_->b; }

  std::unique_ptr<Lab> lab_;
};

/// The two know each other from the start; only a knows where the other is.
class IntroducedLabTest : public LabTest {
 public:
  void setUp() override {
    LabTest::setUp();
    lab_->introduce();
  }
};

}  // namespace wirelay::test
