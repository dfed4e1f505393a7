// Protects the API from its clients: whatever one of them sends, or does not send, or does not
// read, it gets an error or is closed, and the others are served meanwhile.
#include "ctrl/api/server.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <list>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/api_lab.h"

namespace wirelay::ctrl::api {

namespace {

using test::ApiLab;
using test::RawClient;

const std::string kStatus = R"({"jsonrpc":"2.0","method":"status.get","id":1})"
                            "\n";

const std::string kReload = R"({"jsonrpc":"2.0","method":"config.reload","id":2})"
                            "\n";

bool is_result(const std::string& line) { return line.find("\"result\"") != std::string::npos; }
bool is_error(const std::string& line, int code) {
  return line.find("\"code\":" + std::to_string(code)) != std::string::npos;
}

bool served(RawClient& client) {
  client.send_all(kStatus);
  return is_result(client.await_line());
}

void add_users(ApiLab& lab, int n) {
  std::vector<Step> steps;
  for (int i = 0; i < n; ++i) {
    UserSpec user;
    user.name = "user" + std::to_string(i);
    steps.push_back({AddUser{user}, ""});
  }
  lab.relay.apply(std::move(steps));
}

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

class ServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerTest);
  CPPUNIT_TEST(the_socket_is_for_owner_and_group);
  CPPUNIT_TEST(a_stale_socket_is_replaced);
  CPPUNIT_TEST(a_living_relays_socket_is_not_taken);
  CPPUNIT_TEST(a_file_in_the_way_is_not_removed);
  CPPUNIT_TEST(a_socket_belongs_to_the_group_that_was_named);
  CPPUNIT_TEST(a_missing_folder_is_made);
  CPPUNIT_TEST(the_socket_goes_with_the_server);
  CPPUNIT_TEST(requests_come_in_any_pieces);
  CPPUNIT_TEST(a_client_that_has_said_all_is_answered);
  CPPUNIT_TEST(a_last_line_needs_no_newline);
  CPPUNIT_TEST(an_error_leaves_the_connection_usable);
  CPPUNIT_TEST(a_line_too_long_is_told_and_closed);
  CPPUNIT_TEST(the_longest_line_is_read);
  CPPUNIT_TEST(half_a_line_is_not_waited_for_forever);
  CPPUNIT_TEST(a_trickling_line_is_not_waited_for_forever);
  CPPUNIT_TEST(an_idle_client_is_closed);
  CPPUNIT_TEST(a_client_that_never_reads_is_bounded_and_closed);
  CPPUNIT_TEST(a_slow_reader_gets_everything);
  CPPUNIT_TEST(a_long_batch_does_not_hold_up_others);
  CPPUNIT_TEST(a_reload_does_not_hold_up_others);
  CPPUNIT_TEST(a_client_that_leaves_its_reload_does_no_harm);
  CPPUNIT_TEST(a_thousand_connections_do_not_lock_others_out);
  CPPUNIT_TEST(a_client_that_waits_is_not_thrown_out);
  CPPUNIT_TEST(a_client_that_has_just_come_makes_no_room);
  CPPUNIT_TEST(a_client_that_leaves_a_reply_unread_is_forgotten);
  CPPUNIT_TEST(what_comes_behind_a_client_that_has_left_is_not_done);
  CPPUNIT_TEST(short_calls_go_before_long_ones);
  CPPUNIT_TEST(closed_clients_are_let_go_with_all_they_sent);
  CPPUNIT_TEST(a_client_that_leaves_is_forgotten);
  CPPUNIT_TEST(a_client_that_leaves_without_its_replies_does_no_harm);
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

  void requests_come_in_any_pieces() {
    ApiLab lab;
    RawClient client(lab);
    client.send_all(kStatus + "\n \r\n" + kStatus + kStatus);
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(is_result(client.await_line()));
    for (const char byte : kStatus) {
      client.send_all({&byte, 1});
      lab.turn();
    }
    CPPUNIT_ASSERT(is_result(client.await_line()));
  }

  void a_client_that_has_said_all_is_answered() {
    ApiLab lab;
    RawClient client(lab);
    client.send_all(kStatus + kStatus + "{\"half");
    client.shut_down_writing();
    CPPUNIT_ASSERT(is_result(client.await_line()));
    CPPUNIT_ASSERT(is_result(client.await_line()));
    CPPUNIT_ASSERT(is_error(client.await_line(), -32700));
    CPPUNIT_ASSERT(client.await_close());
  }

  void a_last_line_needs_no_newline() {
    ApiLab lab;
    RawClient client(lab);
    client.send_all(kStatus.substr(0, kStatus.size() - 1));
    client.shut_down_writing();
    CPPUNIT_ASSERT(is_result(client.await_line()));
    CPPUNIT_ASSERT(client.await_close());
  }

  void an_error_leaves_the_connection_usable() {
    ApiLab lab;
    RawClient client(lab);
    client.send_all("this is not JSON\n");
    CPPUNIT_ASSERT(is_error(client.await_line(), -32700));
    client.send_all(std::string(100'000, '[') + "\n");
    CPPUNIT_ASSERT(is_error(client.await_line(), -32700));
    client.send_all(std::string("\0\x01\xfe\n", 4));
    CPPUNIT_ASSERT(is_error(client.await_line(), -32700));
    client.send_all("[" + std::string(20'000, '0') + "]\n");
    CPPUNIT_ASSERT(client.await_line().find("\"error\"") != std::string::npos);
    CPPUNIT_ASSERT(served(client));
  }

  void a_line_too_long_is_told_and_closed() {
    ApiLab lab;
    RawClient client(lab), other(lab);
    const std::string chunk(65536, 'x');
    for (int i = 0; i < 100 && !client.closed(); ++i) {
      client.send(chunk);
      client.receive();
      lab.turn();
      if (i == 10) CPPUNIT_ASSERT(served(other));
    }
    CPPUNIT_ASSERT(is_error(client.await_line(), -32600));
    CPPUNIT_ASSERT(client.await_close());
    CPPUNIT_ASSERT(served(other));
  }

  void the_longest_line_is_read() {
    ApiLab lab;
    RawClient client(lab);
    std::string line = kStatus;
    line.insert(1, std::string((size_t{1} << 20) + 1 - line.size(), ' '));
    client.send_all(line);  // 1 MiB and a newline
    CPPUNIT_ASSERT(is_result(client.await_line()));
    line.insert(1, " ");
    client.send_all(line);
    CPPUNIT_ASSERT(is_error(client.await_line(), -32600));
  }

  void half_a_line_is_not_waited_for_forever() {
    ServerLimits limits;
    limits.client.half_line = std::chrono::milliseconds(20);
    ApiLab lab(limits);
    RawClient client(lab);
    client.send_all("{\"jsonrpc\":");
    CPPUNIT_ASSERT(client.await_close());
  }

  void a_trickling_line_is_not_waited_for_forever() {
    ServerLimits limits;
    limits.client.half_line = std::chrono::milliseconds(50);
    ApiLab lab(limits);
    RawClient client(lab);
    CPPUNIT_ASSERT(lab.turn_until([&] {
      client.send(" ");
      client.receive();
      return client.closed();
    }));
  }

  void an_idle_client_is_closed() {
    ServerLimits limits;
    limits.client.idle = std::chrono::milliseconds(20);
    ApiLab lab(limits);
    RawClient client(lab);
    CPPUNIT_ASSERT(client.await_close());
  }

  void a_client_that_never_reads_is_bounded_and_closed() {
    ServerLimits limits;
    limits.client.stalled_reader = std::chrono::seconds(3);  // a turn of a busy machine is shorter
    ApiLab lab(limits);
    add_users(lab, 1000);
    RawClient hog(lab), other(lab);
    const std::string list = R"({"jsonrpc":"2.0","method":"user.list","params":{"limit":1000},)"
                             R"("id":1})"
                             "\n";
    std::string many;
    for (int i = 0; i < 1000; ++i) many += list;
    hog.send(many);
    for (int i = 0; i < 20; ++i) CPPUNIT_ASSERT(served(other));
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.server.clients() == 1; }));
    CPPUNIT_ASSERT(hog.await_close());
    int answered = 0;
    while (hog.line()) ++answered;
    CPPUNIT_ASSERT(answered < 100);  // what the socket and the bound hold, not what was asked
    CPPUNIT_ASSERT(served(other));
  }

  void a_slow_reader_gets_everything() {
    ApiLab lab;
    add_users(lab, 1000);
    RawClient client(lab);
    const std::string list = R"({"jsonrpc":"2.0","method":"user.list","params":{"limit":1000},)"
                             R"("id":1})"
                             "\n";
    for (int i = 0; i < 30; ++i) client.send_all(list);
    for (int i = 0; i < 30; ++i) CPPUNIT_ASSERT(is_result(client.await_line()));
  }

  void a_long_batch_does_not_hold_up_others() {
    ServerLimits limits;
    limits.client.slice = std::chrono::milliseconds(0);  // one call a turn
    ApiLab lab(limits);
    RawClient busy(lab), other(lab);
    CPPUNIT_ASSERT(served(busy) && served(other));
    std::string batch = "[";
    for (int i = 0; i < 500; ++i) {
      batch += std::string(i == 0 ? "" : ",") + R"({"jsonrpc":"2.0","method":"drops.get","id":1})";
    }
    busy.send_all(batch + "]\n");
    other.send_all(kStatus);
    for (int i = 0; i < 50; ++i) lab.turn();
    CPPUNIT_ASSERT(other.line().has_value());
    CPPUNIT_ASSERT(!busy.line().has_value());
    CPPUNIT_ASSERT(is_result(busy.await_line()));
  }

  void a_reload_does_not_hold_up_others() {
    ApiLab lab;
    lab.relay.slow_reload = true;
    RawClient reloading(lab), other(lab);
    reloading.send_all(kReload);
    for (int i = 0; i < 10; ++i) CPPUNIT_ASSERT(served(other));
    reloading.send_all(kStatus);  // has its turn behind the reload
    CPPUNIT_ASSERT(served(other));
    CPPUNIT_ASSERT(!reloading.line().has_value());
    lab.relay.reloading.front()({.error = nullptr, .counts = {.users_added = 8}});
    CPPUNIT_ASSERT(reloading.await_line().find("\"users_added\":8") != std::string::npos);
    CPPUNIT_ASSERT(is_result(reloading.await_line()));
  }

  void a_client_that_leaves_its_reload_does_no_harm() {
    ApiLab lab;
    lab.relay.slow_reload = true;
    RawClient other(lab);
    {
      RawClient leaver(lab);
      leaver.send_all(kReload);
      for (int i = 0; i < 10; ++i) lab.turn();
    }
    CPPUNIT_ASSERT(served(other));
    lab.relay.reloading.front()({});
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.server.clients() == 1; }));
    CPPUNIT_ASSERT(served(other));
  }

  void a_thousand_connections_do_not_lock_others_out() {
    ServerLimits limits;
    limits.clients = 100;
    limits.youth = std::chrono::milliseconds(0);
    ApiLab lab(limits);
    std::list<RawClient> crowd;
    RawClient active(lab);
    for (int i = 0; i < 1000; ++i) {
      // Descriptors are few in some environments: whoever was pushed out is let go.
      if (crowd.size() > 200) crowd.pop_front();
      crowd.emplace_back(lab);
      if (i % 50 == 0) CPPUNIT_ASSERT(served(active));
    }
    RawClient late(lab);
    CPPUNIT_ASSERT(served(late));
    CPPUNIT_ASSERT(served(active));
    CPPUNIT_ASSERT_EQUAL(size_t{100}, lab.server.clients());
    CPPUNIT_ASSERT(crowd.front().await_close());
  }

  void a_client_that_waits_is_not_thrown_out() {
    ServerLimits limits;
    limits.clients = 3;
    limits.youth = std::chrono::milliseconds(0);
    ApiLab lab(limits);
    lab.relay.slow_reload = true;
    RawClient first(lab), second(lab);
    first.send_all(kReload);
    second.send_all(kReload);
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.relay.reloading.size() == 2; }));
    RawClient idle(lab);
    CPPUNIT_ASSERT(served(idle));
    RawClient third(lab);
    third.send_all(kReload);  // in the place of the idle one
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.relay.reloading.size() == 3; }));
    CPPUNIT_ASSERT(idle.await_close());
    RawClient late(lab);
    const std::string told = late.await_line();
    CPPUNIT_ASSERT_MESSAGE(told, is_error(told, -32003));
    CPPUNIT_ASSERT(late.await_close());
    for (const auto& done : lab.relay.reloading) done({});
    for (RawClient* client : {&first, &second, &third}) {
      CPPUNIT_ASSERT(is_result(client->await_line()));
    }
  }

  void a_client_that_has_just_come_makes_no_room() {
    ServerLimits limits;
    limits.clients = 1;
    ApiLab lab(limits);
    RawClient first(lab);
    CPPUNIT_ASSERT(served(first));
    RawClient second(lab);
    CPPUNIT_ASSERT(is_error(second.await_line(), -32003));
    CPPUNIT_ASSERT(served(first));
  }

  /// Its end is an error, since a reply lies unread.
  void a_client_that_leaves_a_reply_unread_is_forgotten() {
    ApiLab lab;
    lab.relay.slow_reload = true;
    {
      RawClient leaver(lab);
      leaver.send_all(kStatus + kReload + kStatus);
      CPPUNIT_ASSERT(lab.turn_until([&] { return lab.relay.reloading.size() == 1; }));
    }
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.server.clients() == 0; }));
  }

  void what_comes_behind_a_client_that_has_left_is_not_done() {
    ApiLab lab;
    lab.relay.slow_reload = true;
    const std::string add =
        R"({"jsonrpc":"2.0","id":1,"method":"user.add","params":{"name":"late"}})"
        "\n";
    {
      RawClient leaver(lab);
      leaver.send_all(kReload + add);
      CPPUNIT_ASSERT(lab.turn_until([&] { return lab.relay.reloading.size() == 1; }));
    }
    lab.relay.reloading.front()({});
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.server.clients() == 0; }));
    CPPUNIT_ASSERT(lab.relay.registry().user("late") == nullptr);
  }

  /// All lines are there before any is answered. Some long ones may be read whole before the short
  /// one.
  void short_calls_go_before_long_ones() {
    ApiLab lab;
    std::list<RawClient> hogs;
    for (int i = 0; i < 50; ++i) hogs.emplace_back(lab);
    RawClient other(lab);
    for (RawClient& hog : hogs) CPPUNIT_ASSERT(served(hog));
    const std::string zeros =
        R"({"jsonrpc":"2.0","id":1,"method":"user.add","params":{"users":[0)" +
        [] {
          std::string list;
          for (int i = 0; i < 50'000; ++i) list += ",0";
          return list;
        }() +
        "]}}\n";
    for (RawClient& hog : hogs) hog.send(zeros);
    const auto answered = [&] {
      return std::ranges::count_if(hogs, [](RawClient& hog) { return hog.line().has_value(); });
    };
    ptrdiff_t before = 50;
    lab.relay.on_collect = [&] { before = answered(); };
    other.send(kStatus);
    CPPUNIT_ASSERT(lab.turn_until([&] { return other.line().has_value(); }));
    CPPUNIT_ASSERT_MESSAGE(std::to_string(before), before < 10);
  }

  void closed_clients_are_let_go_with_all_they_sent() {
    ApiLab lab;
    lab.relay.slow_reload = true;
    {
      std::list<RawClient> crowd;
      for (int i = 0; i < 100; ++i) {
        crowd.emplace_back(lab);
        crowd.back().send(kReload + std::string(150'000, ' ') + kStatus);
      }
      lab.turn();
    }
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.server.clients() == 0; }));
    for (const auto& done : lab.relay.reloading) done({});
    lab.turn();
    RawClient other(lab);
    CPPUNIT_ASSERT(served(other));
  }

  void a_client_that_leaves_is_forgotten() {
    ApiLab lab;
    {
      RawClient first(lab), second(lab);
      CPPUNIT_ASSERT(served(first));
      second.send_all("{\"half");
      lab.turn();
      CPPUNIT_ASSERT_EQUAL(size_t{2}, lab.server.clients());
    }
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.server.clients() == 0; }));
  }

  void a_client_that_leaves_without_its_replies_does_no_harm() {
    ApiLab lab;
    add_users(lab, 1000);
    RawClient other(lab);
    {
      RawClient leaver(lab);
      for (int i = 0; i < 10; ++i) {
        leaver.send(R"({"jsonrpc":"2.0","method":"user.list","params":{"limit":1000},"id":1})"
                    "\n");
      }
      lab.turn();
    }
    CPPUNIT_ASSERT(lab.turn_until([&] { return lab.server.clients() == 1; }));
    CPPUNIT_ASSERT(served(other));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerTest);

}  // namespace wirelay::ctrl::api
