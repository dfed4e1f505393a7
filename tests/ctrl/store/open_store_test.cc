// Protects the file: one relay has it, its owner alone reads it, one that is no store or a later
// relay's is left alone, an earlier one is brought up to date with a copy kept, and what it holds
// is known though the disk does not let it be written.
#include "ctrl/store/open_store.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "tests/ctrl/store/faulty_files.h"
#include "tests/ctrl/store/store_fixture.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

class OpenStoreTest : public StoreFixture {
  CPPUNIT_TEST_SUITE(OpenStoreTest);
  CPPUNIT_TEST(a_full_disk_at_the_start_takes_no_changes);
  CPPUNIT_TEST(an_earlier_store_is_read_without_writing);
  CPPUNIT_TEST(one_relay_each);
  CPPUNIT_TEST(other_files_are_left_alone);
  CPPUNIT_TEST(an_earlier_store_is_brought_up_to_date);
  CPPUNIT_TEST(only_its_owner_reads_it);
  CPPUNIT_TEST(a_check_reads_beside_a_relay);
  CPPUNIT_TEST_SUITE_END();

  static void assert_refused(const std::string& file, const std::string& part) {
    try {
      const Store store(file);
      CPPUNIT_FAIL("was opened: " + file);
    } catch (const StoreError& error) {
      CPPUNIT_ASSERT_MESSAGE(error.what(),
                             std::string(error.what()).find(part) != std::string::npos);
    }
  }

 public:
  /// What a relay has begun with is not written, and nothing else is taken; it serves.
  void a_full_disk_at_the_start_takes_no_changes() {
    {
      Store store(file_);
      with_alice(store);
    }
    FaultyFiles::heal();
    Store store(file_, FaultyFiles::name());
    const Stored before = store.read();
    FaultyFiles::fail_at(0, Fault::kFull);
    store.replace(before, {});
    FaultyFiles::heal();
    CPPUNIT_ASSERT(store.refusal().find("full") != std::string::npos);
    CPPUNIT_ASSERT(!kept_.pass(store, {{AddUser{user("bob")}, ""}}));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, stored().users.size());
  }

  void an_earlier_store_is_read_without_writing() {
    {
      Store store(file_);
      with_alice(store);
    }
    execute("ALTER TABLE users DROP COLUMN max_peers; DROP TABLE events");
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, Database(file_, Database::Access::kRead)
                                         .ask("SELECT COUNT(*) FROM sqlite_schema"
                                              " WHERE name = 'events'"));
  }

  void one_relay_each() {
    const Store store(file_);
    assert_refused(file_, "another relay has it");
  }

  void other_files_are_left_alone() {
    dir_.write("text.db", std::string(5000, 'x'));
    assert_refused(dir_.path("text.db"), "file is not a database");
    execute("CREATE TABLE recipes(name TEXT)");
    assert_refused(file_, "is a database, but no store of a relay");
    const std::string later = dir_.path("later.db");
    { const Store store(later); }
    Database(later, Database::Access::kWrite).execute("PRAGMA user_version = 99");
    assert_refused(later, "was written by a later relayd (version 99");
    assert_refused(dir_.path("no/such/folder/relay.db"), "its directory cannot be made");
  }

  /// A program of before did not know a field, and the one before that not even a table.
  void an_earlier_store_is_brought_up_to_date() {
    {
      Store store(file_);
      with_alice(store);
    }
    execute("ALTER TABLE users DROP COLUMN max_peers; DROP TABLE history");
    Store store(file_);
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(store.read()));
    size_t copies = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path(""))) {
      if (entry.path().string().find(".before-") == std::string::npos) continue;
      ++copies;
      struct stat info {};
      CPPUNIT_ASSERT(stat(entry.path().c_str(), &info) == 0 && (info.st_mode & 077) == 0);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, copies);
  }

  void only_its_owner_reads_it() {
    Store store(file_);
    with_alice(store);
    for (const char* part : {"", "-wal", "-shm", ".lock"}) {
      struct stat info {};
      CPPUNIT_ASSERT(stat((file_ + part).c_str(), &info) == 0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(part, 0u, info.st_mode & 077);
    }
  }

  void a_check_reads_beside_a_relay() {
    CPPUNIT_ASSERT(stored().users.empty());
    CPPUNIT_ASSERT(!std::filesystem::exists(file_));
    Store store(file_);
    with_alice(store);
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
    CPPUNIT_ASSERT(kept_.pass(store, {{RemovePeer{"pad"}, ""}}));
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OpenStoreTest);

}  // namespace
}  // namespace wirelay::ctrl
