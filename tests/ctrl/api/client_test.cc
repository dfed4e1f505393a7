// Protects the API from each of its clients: whatever one sends, or does not send, or does not
// read, it gets an error or is closed, and whoever has left is let go.
#include "ctrl/api/client.h"

#include <list>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/api/calls.h"

namespace wirelay::ctrl::api {

class ClientTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClientTest);
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
  CPPUNIT_TEST(a_client_that_leaves_is_forgotten);
  CPPUNIT_TEST(a_client_that_leaves_without_its_replies_does_no_harm);
  CPPUNIT_TEST(a_client_that_leaves_a_reply_unread_is_forgotten);
  CPPUNIT_TEST(what_comes_behind_a_client_that_has_left_is_not_done);
  CPPUNIT_TEST(closed_clients_are_let_go_with_all_they_sent);
  CPPUNIT_TEST(a_client_that_leaves_its_reload_does_no_harm);
  CPPUNIT_TEST_SUITE_END();

 public:
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
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClientTest);

}  // namespace wirelay::ctrl::api
