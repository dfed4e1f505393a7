// Protects the control socket as a file: whose it is, and that nobody else's is taken away.
#include "ctrl/api/socket.h"

#include <cstring>
#include <fstream>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/ctrl/api/calls.h"

namespace wirelay::ctrl::api {

namespace {

/// A socket that nobody listens on any more.
void leave_stale_socket(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  CPPUNIT_ASSERT_EQUAL(0, bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  close(fd);
}

}  // namespace

class SocketTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SocketTest);
  CPPUNIT_TEST(the_socket_is_for_owner_and_group);
  CPPUNIT_TEST(a_stale_socket_is_replaced);
  CPPUNIT_TEST(a_living_relays_socket_is_not_taken);
  CPPUNIT_TEST(a_file_in_the_way_is_not_removed);
  CPPUNIT_TEST(a_socket_belongs_to_the_group_that_was_named);
  CPPUNIT_TEST(a_missing_folder_is_made);
  CPPUNIT_TEST(the_socket_goes_with_the_server);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_socket_is_for_owner_and_group() {
    ApiLab lab;
    struct stat file;
    CPPUNIT_ASSERT_EQUAL(0, lstat(lab.socket.c_str(), &file));
    CPPUNIT_ASSERT(S_ISSOCK(file.st_mode));
    CPPUNIT_ASSERT_EQUAL(mode_t{0660}, file.st_mode & 0777);
  }

  void a_stale_socket_is_replaced() {
    const test::TemporaryFolder folder;
    const std::string path = folder / "stale.sock";
    leave_stale_socket(path);
    const SocketFile taken(path);
    CPPUNIT_ASSERT(taken.fd() >= 0);
  }

  void a_living_relays_socket_is_not_taken() {
    ApiLab lab;
    try {
      const SocketFile second(lab.socket);
      CPPUNIT_FAIL("the socket was taken");
    } catch (const std::runtime_error& error) {
      CPPUNIT_ASSERT(std::string(error.what()).find("another relay") != std::string::npos);
    }
    RawClient client(lab);
    CPPUNIT_ASSERT(served(client));
  }

  void a_file_in_the_way_is_not_removed() {
    const test::TemporaryFolder folder;
    std::ofstream(folder / "precious") << "text";
    CPPUNIT_ASSERT_THROW(SocketFile(folder / "precious"), std::runtime_error);
    CPPUNIT_ASSERT_EQUAL(0, access((folder / "precious").c_str(), F_OK));
    CPPUNIT_ASSERT_THROW(SocketFile(folder / std::string(120, 'x')), std::runtime_error);
  }

  void a_socket_belongs_to_the_group_that_was_named() {
    const test::TemporaryFolder folder;
    const gid_t group = getegid() + 1;
    if (geteuid() != 0) return;  // only root may give a file to a group that is not its own
    const SocketFile made(folder / "relayd.sock", group);
    struct stat file {};
    CPPUNIT_ASSERT_EQUAL(0, stat((folder / "relayd.sock").c_str(), &file));
    CPPUNIT_ASSERT_EQUAL(group, file.st_gid);
    CPPUNIT_ASSERT_EQUAL(mode_t{0660}, file.st_mode & 0777);
  }

  void a_missing_folder_is_made() {
    const test::TemporaryFolder folder;
    const SocketFile made(folder / "run/wirelay/relayd.sock");
    CPPUNIT_ASSERT_EQUAL(0, access((folder / "run/wirelay/relayd.sock").c_str(), F_OK));
  }

  void the_socket_goes_with_the_server() {
    const test::TemporaryFolder folder;
    const std::string path = folder / "s";
    { const SocketFile passing(path); }
    CPPUNIT_ASSERT(access(path.c_str(), F_OK) != 0);
    {
      const SocketFile first(path);
      unlink(path.c_str());
      leave_stale_socket(path);  // another's by now
    }
    CPPUNIT_ASSERT_EQUAL(0, access(path.c_str(), F_OK));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SocketTest);

}  // namespace wirelay::ctrl::api
