// Protects handshakes of many clients: cookies, repetition, and an end when the far end is silent,
// asks for cookies without end, or is not who it says.
#include "tools/relaygen/handshaker.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/tools/relaygen/traffic_setup.h"

namespace wirelay::relaygen {

namespace {

class HandshakerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HandshakerTest);
  CPPUNIT_TEST(all_clients_come_up_and_confirm);
  CPPUNIT_TEST(handshakes_made_ahead_come_up_as_well);
  CPPUNIT_TEST(no_more_begin_than_were_asked_for);
  CPPUNIT_TEST(cookies_are_answered);
  CPPUNIT_TEST(cookies_without_end_are_given_up);
  CPPUNIT_TEST(forged_responses_hinder_nobody);
  CPPUNIT_TEST(lost_initiations_are_repeated);
  CPPUNIT_TEST(silence_is_told);
  CPPUNIT_TEST(far_end_may_renew_keys);
  CPPUNIT_TEST_SUITE_END();

  void all_clients_come_up_and_confirm() {
    Setup s;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.initiations);
    CPPUNIT_ASSERT_EQUAL(kPeers, s.far.keepalives);
    CPPUNIT_ASSERT_EQUAL(0u, s.far.forged);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.latency.total());
  }

  void handshakes_made_ahead_come_up_as_well() {
    Setup s;
    CPPUNIT_ASSERT_EQUAL(kPeers, s.bring_up(true).done);
    CPPUNIT_ASSERT_EQUAL(kPeers, s.far.keepalives);
  }

  void no_more_begin_than_were_asked_for() {
    constexpr double kRate = 100;
    Setup s(5, 60, kRate);
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT(result.seconds >= (kPeers - 1) / kRate);
  }

  void cookies_are_answered() {
    Setup s;
    s.far.demand_cookies = true;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.cookies);
    CPPUNIT_ASSERT_EQUAL(2 * kPeers, s.far.initiations);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, result.repeated);
  }

  void cookies_without_end_are_given_up() {
    Setup s(0.1, 0.3);
    s.far.believe_no_cookie = true;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(0u, result.done);
    // One more for each cookie that a new initiation meets, not one for each cookie.
    CPPUNIT_ASSERT_EQUAL(2 * (kPeers + result.repeated), result.initiations);
    CPPUNIT_ASSERT_EQUAL(result.initiations, result.cookies);
  }

  void forged_responses_hinder_nobody() {
    Setup s;
    s.far.forge_responses = true;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.refused);
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, result.initiations);
  }

  void lost_initiations_are_repeated() {
    Setup s(0.05);
    s.far.ignored_initiations = 3;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(kPeers, result.done);
    CPPUNIT_ASSERT(result.repeated >= 3);
  }

  void silence_is_told() {
    Setup s(0.1, 0.3);
    s.far.ignored_initiations = UINT32_MAX;
    const auto result = s.bring_up();
    CPPUNIT_ASSERT_EQUAL(0u, result.done);
    CPPUNIT_ASSERT_EQUAL(kPeers, result.wanted);
  }

  void far_end_may_renew_keys() {
    Setup s;
    s.bring_up();
    s.far.initiate(2);
    s.receive_all();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, s.handshaker.answered());
    const uint32_t before = s.clients.session(2).local_index;
    s.far.step();              // takes our response
    s.far.send_sealed(2, {});  // its first packet under the new keys
    s.receive_all();
    CPPUNIT_ASSERT(s.clients.session(2).local_index != before);
    s.send_round(Mode::kUp, 4 * kPeers);
    CPPUNIT_ASSERT_EQUAL(size_t{4 * kPeers}, s.far.inner.size());
    CPPUNIT_ASSERT_EQUAL(0u, s.far.forged);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HandshakerTest);

}  // namespace

}  // namespace wirelay::relaygen
