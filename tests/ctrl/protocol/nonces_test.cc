// Protects the one property that outranks all others where all that seals runs at the same time:
// workers, and the control thread with keepalives and packets that waited, while sessions are
// renewed from both sides, answers are computed elsewhere, peers move, and come and go with their
// users. Every message that leaves is held against all that left before: no key is sent with twice
// under one counter, and each message opens.
//
// What ends it are counts, and rounds bound it: no time.
#include <algorithm>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/protocol/running_relay.h"

namespace wirelay::test {

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr unsigned kSessionsEach = 3;
constexpr uint64_t kMessages = 10'000;
#else
constexpr unsigned kSessionsEach = 12;
constexpr uint64_t kMessages = 100'000;
#endif
constexpr unsigned kMostRounds = 100'000;
constexpr unsigned kMembers = 6;

constexpr unsigned kQuiet = 8;     // rounds without data, so that keepalives come; then as many
constexpr unsigned kRenewal = 40;  // rounds between handshakes that a peer begins
constexpr unsigned kAgain = 24;    // rounds until it asks again, 6 s
constexpr unsigned kRemoval = 97;  // rounds between removals
constexpr unsigned kAbsence = 10;  // rounds
constexpr unsigned kPackets = 8;   // to each member, in a round with data
constexpr unsigned kStay = 5;      // rounds with one port
constexpr uint64_t kMoves = 100;   // that the control thread has followed at least

}  // namespace

class NoncesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NoncesTest);
  CPPUNIT_TEST(none_is_used_twice_whatever_happens_at_once);
  CPPUNIT_TEST_SUITE_END();

 public:
  void none_is_used_twice_whatever_happens_at_once() {
    RunningRelay relay(kMembers);
    unsigned answers = 0;
    relay.goes_meanwhile = [&](Member&) { return ++answers % 7 == 0; };
    while (!enough(relay)) {
      CPPUNIT_ASSERT_MESSAGE(state_of(relay), relay.rounds < kMostRounds);
      for (unsigned i = 0; i < kMembers; ++i) act(relay, i);
      come_and_go(relay);
      relay.round();
    }
    const auto& counters = relay.counters();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counters.no_memory);
    CPPUNIT_ASSERT_EQUAL(0u, relay.stop());
  }

 private:
  static bool enough(const RunningRelay& relay) {
    const auto& c = relay.counters();
    return relay.arrived >= kMessages && c.refused_changed >= 3 && c.held_packets >= 100 &&
           c.roamed >= kMoves && std::ranges::all_of(relay.members, [](const Member& m) {
             return shared_sessions(m) >= kSessionsEach;
           });
  }

  /// Under how many keys workers and the control thread have sent: data, and keepalives.
  static unsigned shared_sessions(const Member& member) {
    unsigned count = 0;
    for (const auto& [index, s] : member.peer->sessions()) {
      count += s.empty != 0 && s.counters.size() > s.empty;
    }
    return count;
  }

  static std::string state_of(const RunningRelay& relay) {
    const auto& c = relay.counters();
    std::string text = std::to_string(relay.arrived) + " messages, changed " +
                       std::to_string(c.refused_changed) + ", held " +
                       std::to_string(c.held_packets) + ", moves " + std::to_string(c.roamed) +
                       ", sessions";
    for (const Member& m : relay.members) text += " " + std::to_string(shared_sessions(m));
    return text;
  }

  /// What a peer does in a round, and what is sent to it.
  static void act(RunningRelay& relay, unsigned i) {
    Member& member = relay.members[i];
    const auto queue = static_cast<uint16_t>((relay.rounds + i) % RunningRelay::kWorkers);
    if (member.begins) {
      const unsigned passed = relay.rounds - member.began_at;
      if (passed >= (member.peer->waits() ? kAgain : kRenewal + i) || relay.rounds == i) {
        member.began_at = relay.rounds;
        relay.send_from(member, member.peer->begin(), queue);
      }
    }
    if (relay.rounds % kStay == i % kStay) member.endpoint.port ^= 1;
    if ((relay.rounds / kQuiet + i) % 2 == 0) return;
    for (unsigned p = 0; p < kPackets; ++p) {
      relay.send_to(member, static_cast<uint16_t>(p % RunningRelay::kWorkers));
      relay.hand_up(member);
    }
    // To the next member, by the worker that owns the session.
    const Member& next = relay.members[(i + 1) % kMembers];
    if (const auto message =
            member.peer->seal(udp({member.inner, 1}, {next.inner, 1}, pattern(50)))) {
      relay.send_from(member, *message, queue);
    }
  }

  static void come_and_go(RunningRelay& relay) {
    Member& member = relay.members[relay.rounds / kRemoval % kMembers];
    if (relay.rounds % kRemoval == 0 && member.present) relay.remove(member);
    if (relay.rounds % kAbsence == 0) {
      for (Member& m : relay.members) {
        if (!m.present) relay.add(m);
      }
    }
    if (member.present) relay.change_limits(member);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NoncesTest);

}  // namespace wirelay::test
