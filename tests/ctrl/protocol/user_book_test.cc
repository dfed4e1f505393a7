// Protects which peers are a user's: each of them has its turn, whoever comes and goes.
#include "ctrl/protocol/user_book.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl {

namespace {

class UserBookTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(UserBookTest);
  CPPUNIT_TEST(as_a_set_of_peers_each);
  CPPUNIT_TEST(first_handshakes);
  CPPUNIT_TEST_SUITE_END();

 public:
  void as_a_set_of_peers_each() {
    constexpr uint32_t kUsers = 3, kPeers = 20;
    UserBook book(kUsers, kPeers);
    std::map<uint32_t, std::set<uint32_t>> model;
    std::map<uint32_t, uint32_t> owners;
    std::mt19937 random(12);
    for (int round = 0; round < 5'000; ++round) {
      const uint32_t peer = random() % kPeers, user = random() % kUsers;
      if (const auto owner = owners.find(peer); owner != owners.end()) {
        book.remove_peer(owner->second, peer);
        model[owner->second].erase(peer);
        owners.erase(owner);
      } else {
        book.add_peer(user, peer);
        model[user].insert(peer);
        owners[peer] = user;
      }
      std::set<uint32_t> visited, in_turn;
      book.for_each_peer(user, [&](uint32_t one) { CPPUNIT_ASSERT(visited.insert(one).second); });
      CPPUNIT_ASSERT(visited == model[user]);
      CPPUNIT_ASSERT_EQUAL(visited.size(), size_t{book.peer_count(user)});
      for (size_t i = 0; i < visited.size(); ++i) in_turn.insert(book.next_peer(user));
      CPPUNIT_ASSERT(in_turn == visited);
      if (visited.empty()) CPPUNIT_ASSERT_EQUAL(UserBook::kNone, book.next_peer(user));
    }
  }

  void first_handshakes() {
    UserBook book(2, 2);
    book.note_handshake(1, 100);
    book.note_handshake(1, 200);
    CPPUNIT_ASSERT_EQUAL(uint64_t{100}, book.first_handshake(1));
    CPPUNIT_ASSERT((book.take_new() == std::vector<uint32_t>{1}));
    CPPUNIT_ASSERT(book.take_new().empty());
    book.add(1, {.most = 3});  // another user has the number
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, book.first_handshake(1));
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, book.rules(1).most);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UserBookTest);

}  // namespace
}  // namespace wirelay::ctrl
