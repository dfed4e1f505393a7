// What the suites of the protocol share: a lab for each test, and no buffer lost by any.
#pragma once

#include <memory>
#include <string>

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

/// The same where a handshake costs much: 100 a second can be served, 50 at once.
class LoadedLabTest : public LabTest {
 public:
  void setUp() override {
    lab_ = std::make_unique<Lab>(Lab::small(), 5 * kMillisecond);
    lab_->introduce();
  }

 protected:
  /// More from everywhere than `side` can serve, so that it asks for cookies for a second.
  void overload(Side& side) {
    for (int i = 1; i <= 60; ++i) {
      const auto addr = dataplane::parse_ip("198.51.100." + std::to_string(i));
      side.hear(junk_initiation(), {*addr, 1});
    }
    for (rte_mbuf* reply : side.outbox) rte_pktmbuf_free(reply);
    side.outbox.clear();
  }
};

}  // namespace wirelay::test
