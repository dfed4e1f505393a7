// Protects the control thread from long work: a slice ends, what is left goes on in turn, and
// nobody starves.
#include "ctrl/host/agenda.h"

#include <string>

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl {

namespace {

const Slice kOver{std::chrono::seconds(-1)};
const Slice kLong{std::chrono::hours(1)};

class AgendaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AgendaTest);
  CPPUNIT_TEST(works_until_all_is_done);
  CPPUNIT_TEST(takes_turns_when_slices_end);
  CPPUNIT_TEST(work_may_add_work);
  CPPUNIT_TEST_SUITE_END();

  Agenda::Work work(char name, int pieces) {
    return [this, name, pieces](const Slice&) mutable {
      done_ += name;
      return --pieces == 0;
    };
  }
  std::string done_;
  Agenda agenda_;

 public:
  void works_until_all_is_done() {
    agenda_.add(work('a', 3));
    agenda_.add(work('b', 1));
    agenda_.run(kLong);
    CPPUNIT_ASSERT_EQUAL(std::string("abaa"), done_);
    CPPUNIT_ASSERT(agenda_.empty());
  }

  void takes_turns_when_slices_end() {
    agenda_.add(work('a', 2));
    agenda_.add(work('b', 2));
    agenda_.run(kOver);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), done_);
    agenda_.run(kOver);
    CPPUNIT_ASSERT_EQUAL(std::string("ab"), done_);
    agenda_.run(kOver);
    agenda_.run(kOver);
    CPPUNIT_ASSERT_EQUAL(std::string("abab"), done_);
    CPPUNIT_ASSERT(agenda_.empty());
  }

  void work_may_add_work() {
    agenda_.add([this](const Slice&) {
      agenda_.add(work('b', 1));
      return true;
    });
    agenda_.run(kLong);
    CPPUNIT_ASSERT_EQUAL(std::string("b"), done_);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AgendaTest);

}  // namespace
}  // namespace wirelay::ctrl
