// Protects who goes on as whom at a start: users of the file have their numbers back, what the
// store owns is there again, and where an operator says a peer is counts more than where it was.
#include "ctrl/store/beginning.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/store/store_fixture.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

class BeginningTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BeginningTest);
  CPPUNIT_TEST(users_of_the_file_have_their_numbers_back);
  CPPUNIT_TEST(what_the_store_owns_is_added);
  CPPUNIT_TEST(an_endpoint_that_was_named_since_counts_more);
  CPPUNIT_TEST_SUITE_END();

  static Stored stored(Origin origin) {
    Stored stored;
    for (uint64_t id = 1; id <= 3; ++id) {
      StoredUser& of = stored.users.emplace_back();
      of.spec = user("u" + std::to_string(id));
      of.spec.id = id;
      of.spec.origin = origin;
      StoredPeer& device = stored.peers.emplace_back();
      device.spec = peer("p" + std::to_string(id), of.spec.name, static_cast<uint32_t>(id), {});
      device.spec.origin = origin;
    }
    return stored;
  }

 public:
  /// By name; a new name by the peers' keys, but only of one who is gone.
  void users_of_the_file_have_their_numbers_back() {
    const Beginning beginning("relay.db", stored(Origin::kFile));
    std::vector<UserSpec> users = {user("u1"), user("new"), user("other"), user("u2")};
    const std::vector<PeerSpec> peers = {peer("p3", "new", 3, {}), peer("p1", "other", 1, {}),
                                         peer("p2", "u2", 2, {})};
    beginning.number(users, peers);
    std::vector<uint64_t> ids;
    for (const UserSpec& of : users) ids.push_back(of.id);
    CPPUNIT_ASSERT((ids == std::vector<uint64_t>{1, 3, 0, 2}));
    CPPUNIT_ASSERT(beginning.steps().empty());
  }

  void what_the_store_owns_is_added() {
    const Beginning beginning("relay.db", stored(Origin::kApi));
    std::vector<UserSpec> users = {user("u1")};
    beginning.number(users, {});
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, users[0].id);  // another one, and refused later
    const std::vector<Step> steps = beginning.steps();
    CPPUNIT_ASSERT_EQUAL(size_t{6}, steps.size());
    CPPUNIT_ASSERT_EQUAL(std::string("relay.db: user u1"), steps[0].path);
    CPPUNIT_ASSERT_EQUAL(std::string("relay.db: peer p3"), steps[5].path);
  }

  void an_endpoint_that_was_named_since_counts_more() {
    StoredPeer before;
    before.life.where = Whereabouts{*dataplane::parse_endpoint("203.0.113.9:4000"),
                                    *dataplane::parse_endpoint("198.51.100.1:51820")};
    PeerSpec now = before.spec;
    CPPUNIT_ASSERT(life_from(before, now).where.has_value());
    now.endpoint = dataplane::parse_endpoint("203.0.113.77:51820");
    CPPUNIT_ASSERT(!life_from(before, now).where.has_value());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BeginningTest);

}  // namespace
}  // namespace wirelay::ctrl
