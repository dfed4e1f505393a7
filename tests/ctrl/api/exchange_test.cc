// Protects the JSON-RPC 2.0 rules: what gets a reply, which error, and what a batch may hold.
#include "ctrl/api/exchange.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/json.h"
#include "tests/support/fake_relay.h"

namespace wirelay::ctrl::api {

class ExchangeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExchangeTest);
  CPPUNIT_TEST(a_call_gets_its_id_back);
  CPPUNIT_TEST(a_notification_is_done_without_a_reply);
  CPPUNIT_TEST(what_is_not_json_gets_a_parse_error);
  CPPUNIT_TEST(what_is_no_request_is_told_why);
  CPPUNIT_TEST(an_unknown_method_names_the_one_that_was_meant);
  CPPUNIT_TEST(a_batch_gets_one_reply_for_each_call);
  CPPUNIT_TEST(a_batch_is_made_one_call_a_step);
  CPPUNIT_TEST(a_batch_has_a_largest_size);
  CPPUNIT_TEST(a_batch_reply_has_a_largest_size);
  CPPUNIT_TEST(a_batch_has_its_time);
  CPPUNIT_TEST(an_unexpected_failure_is_an_internal_error);
  CPPUNIT_TEST(a_result_that_takes_long_is_waited_for);
  CPPUNIT_TEST(a_long_reply_is_known_to_take_long);
  CPPUNIT_TEST(a_late_refusal_is_told);
  CPPUNIT_TEST(an_answer_that_nobody_waits_for_is_dropped);
  CPPUNIT_TEST_SUITE_END();

  test::FakeRelay relay_;
  ExchangeLimits limits_;

  const Desk desk_{relay_.loop, relay_, relay_.events, Right::kChange};
  int woken_ = 0;

  std::string reply(std::string_view line) { return relay_.answer(line, limits_); }
  std::shared_ptr<Exchange> begin(const std::string& line) {
    return std::make_shared<Exchange>(desk_, line, limits_, Caller{}, [this] { ++woken_; });
  }
  void turn() { event_base_loop(relay_.loop.base(), EVLOOP_NONBLOCK); }
  Json::Value json_reply(std::string_view line) {
    const std::string text = reply(line);
    CPPUNIT_ASSERT(text.ends_with('\n') && text.find('\n') == text.size() - 1);
    return parse_json(text.substr(0, text.size() - 1), {64u << 20, 32, false});
  }
  void assert_error(int code, std::string_view line) {
    const Json::Value got = json_reply(line);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(line.substr(0, 80)), code,
                                 got["error"]["code"].asInt());
    CPPUNIT_ASSERT(!got["error"]["message"].asString().empty());
    CPPUNIT_ASSERT(!got.isMember("result"));
  }

 public:
  void a_call_gets_its_id_back() {
    const auto call = [](const std::string& id) {
      return R"({"jsonrpc":"2.0","method":"api.methods","id":)" + id + "}";
    };
    for (const std::string id :
         {"7", "\"seven\"", "null", "-1.50", "12345678901234567", "0.12345678901234567",
          "340282366920938463463374607431768211456", "1E+2", R"("\u00e9\/\"")"}) {
      const std::string got = reply(call(id));
      CPPUNIT_ASSERT_EQUAL(R"({"id":)" + id + R"(,"jsonrpc":"2.0","result":)",
                           got.substr(0, id.size() + 32));
      const std::string batch = reply("[1," + call(id) + "," + call("8") + "]");
      CPPUNIT_ASSERT_MESSAGE(batch, batch.find(R"({"id":)" + id + ",") != std::string::npos);
      CPPUNIT_ASSERT_MESSAGE(batch, batch.find(R"({"id":8,)") != std::string::npos);
    }
    const std::string inner = R"({"jsonrpc":"2.0","params":{"id":5},"method":"x","id":6})";
    CPPUNIT_ASSERT(reply(inner).find("\"id\":6,") != std::string::npos);
    CPPUNIT_ASSERT(json_reply(call("1"))["result"]["methods"].size() >= 15);
  }

  void a_notification_is_done_without_a_reply() {
    const auto add = R"({"jsonrpc":"2.0","method":"user.add","params":{"name":"alice"}})";
    CPPUNIT_ASSERT_EQUAL(std::string(), reply(add));
    CPPUNIT_ASSERT(relay_.registry().user("alice") != nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string(), reply(add));  // refused, and nobody wants to know
  }

  void what_is_not_json_gets_a_parse_error() {
    for (const std::string line :
         {"{", "hello", "{} {}", "\"abc", "{\"a\":1,\"a\":2}", "[1,", "{'a':1}", "\x01\xff"}) {
      assert_error(-32700, line);
    }
    assert_error(-32700, std::string(33, '[') + std::string(33, ']'));
    assert_error(-32700, std::string(500'000, '['));
  }

  void what_is_no_request_is_told_why() {
    for (const std::string line :
         {"1", "\"text\"", "null", "{}", "[]", R"({"jsonrpc":"1.0","method":"x","id":1})",
          R"({"jsonrpc":"2.0","method":5,"id":1})", R"({"jsonrpc":"2.0","id":1})",
          R"({"jsonrpc":"2.0","method":"status.get","id":{}})"}) {
      assert_error(-32600, line);
    }
    assert_error(-32602, R"({"jsonrpc":"2.0","method":"status.get","params":[],"id":1})");
    assert_error(-32602, R"({"jsonrpc":"2.0","method":"status.get","params":3,"id":1})");
    assert_error(-32602, R"({"jsonrpc":"2.0","method":"status.get","params":{"x":1},"id":1})");
  }

  void an_unknown_method_names_the_one_that_was_meant() {
    const Json::Value got = json_reply(R"({"jsonrpc":"2.0","method":"user.ad","id":1})");
    CPPUNIT_ASSERT_EQUAL(-32601, got["error"]["code"].asInt());
    CPPUNIT_ASSERT(got["error"]["message"].asString().find("user.add") != std::string::npos);
    assert_error(-32601, R"({"jsonrpc":"2.0","method":"","id":1})");
  }

  void a_batch_gets_one_reply_for_each_call() {
    const Json::Value got =
        json_reply(R"([{"jsonrpc":"2.0","method":"user.add","params":{"name":"alice"},"id":1},)"
                   R"({"jsonrpc":"2.0","method":"user.add","params":{"name":"bob"}},)"
                   R"(5,{"jsonrpc":"2.0","method":"user.get","params":{"name":"bob"},"id":"b"}])");
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{3}, got.size());
    CPPUNIT_ASSERT_EQUAL(1u, got[0]["result"]["users_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(-32600, got[1]["error"]["code"].asInt());
    CPPUNIT_ASSERT_EQUAL(std::string("bob"), got[2]["result"]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string(),
                         reply(R"([{"jsonrpc":"2.0","method":"user.add","params":{"name":"c"}}])"));
  }

  void a_batch_is_made_one_call_a_step() {
    const auto add = [](const std::string& name) {
      return R"({"jsonrpc":"2.0","method":"user.add","params":{"name":")" + name + "\"}}";
    };
    const auto exchange = begin("[" + add("a") + "," + add("b") + "]");
    exchange->step();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, relay_.registry().user_count());
    turn();
    exchange->step();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, relay_.registry().user_count());
    CPPUNIT_ASSERT(!exchange->done());
    exchange->step();
    turn();
    exchange->step();
    CPPUNIT_ASSERT(exchange->done());
  }

  void a_batch_has_a_largest_size() {
    std::string batch = "[0";
    for (int i = 1; i < 10'000; ++i) batch += ",0";
    assert_error(-32600, batch + "]");
    const Json::Value got = json_reply(batch);  // refused before its mistake is reached
    CPPUNIT_ASSERT_EQUAL(-32600, got["error"]["code"].asInt());
  }

  void a_batch_reply_has_a_largest_size() {
    limits_.batch_reply_bytes = 100;
    const std::string add = R"({"jsonrpc":"2.0","method":"user.add","params":{"name":"a)";
    std::string batch = R"([{"jsonrpc":"2.0","method":"api.methods","id":0})";
    for (const std::string i : {"1", "2", "3"}) batch += "," + add + i + "\"},\"id\":" + i + "}";
    const Json::Value got = json_reply(batch + "]");
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{4}, got.size());
    CPPUNIT_ASSERT(got[0].isMember("result"));
    for (const Json::ArrayIndex i : {1u, 2u, 3u}) {
      CPPUNIT_ASSERT_EQUAL(-32002, got[i]["error"]["code"].asInt());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, relay_.registry().user_count());  // said not done: not done
  }

  void a_batch_has_its_time() {
    limits_.batch_time = std::chrono::seconds(0);
    const Json::Value got =
        json_reply(R"([{"jsonrpc":"2.0","method":"user.add","params":{"name":"a"},"id":1}])");
    CPPUNIT_ASSERT_EQUAL(-32004, got[0]["error"]["code"].asInt());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, relay_.registry().user_count());
  }

  void an_unexpected_failure_is_an_internal_error() {
    relay_.on_reload = []() -> ReloadOutcome { throw std::bad_alloc(); };
    assert_error(-32603, R"({"jsonrpc":"2.0","method":"config.reload","id":1})");
  }

  void a_result_that_takes_long_is_waited_for() {
    relay_.slow_reload = true;
    const auto exchange =
        begin(R"([{"jsonrpc":"2.0","method":"config.reload","id":1},)"
              R"({"jsonrpc":"2.0","method":"user.add","params":{"name":"a"},"id":2}])");
    for (int i = 0; i < 3; ++i) {
      exchange->step();
      turn();
      CPPUNIT_ASSERT(exchange->waiting() && !exchange->done());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, relay_.registry().user_count());  // calls keep their order
    CPPUNIT_ASSERT_EQUAL(0, woken_);
    relay_.reloading.front()({.error = nullptr, .counts = {.users_added = 5}});
    turn();
    CPPUNIT_ASSERT_EQUAL(1, woken_);
    CPPUNIT_ASSERT(!exchange->waiting());
    while (!exchange->done()) {
      exchange->step();
      turn();
    }
    const Json::Value got = parse_json(exchange->take_reply(), {1u << 20, 32, false});
    CPPUNIT_ASSERT_EQUAL(5u, got[0]["result"]["users_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(2, got[1]["id"].asInt());
  }

  /// So that short ones go first.
  void a_long_reply_is_known_to_take_long() {
    for (int i = 0; i < 100; ++i) {
      reply(R"({"jsonrpc":"2.0","method":"user.add","params":{"name":"u)" + std::to_string(i) +
            "\"}}");
    }
    const auto next_ns = [&](const std::string& call) {
      const auto exchange = begin(R"({"jsonrpc":"2.0","id":1,"method":")" + call + "}");
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, exchange->next_ns());
      exchange->step();
      turn();
      CPPUNIT_ASSERT(!exchange->waiting());
      const uint64_t found = exchange->next_ns();
      exchange->step();
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, exchange->next_ns());
      return found;
    };
    const uint64_t all = next_ns(R"(user.list","params":{"limit":1000})");
    const uint64_t one = next_ns(R"(user.get","params":{"name":"u7"})");
    CPPUNIT_ASSERT_EQUAL(100 * one, all);
    CPPUNIT_ASSERT(one > 0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, next_ns(R"(status.get")"));
  }

  void a_late_refusal_is_told() {
    relay_.slow_reload = true;
    const auto exchange = begin(R"({"jsonrpc":"2.0","method":"config.reload","id":1})");
    exchange->step();
    relay_.reloading.front()({.error = std::make_exception_ptr(
                                  Refused("relayd.json: listen.udp_port", "expected 1 to 65535"))});
    turn();
    exchange->step();
    CPPUNIT_ASSERT(exchange->done() && !exchange->waiting());
    const Json::Value got = parse_json(exchange->take_reply(), {1u << 20, 32, false});
    CPPUNIT_ASSERT_EQUAL(-32602, got["error"]["code"].asInt());
    CPPUNIT_ASSERT_EQUAL(std::string("relayd.json: listen.udp_port"),
                         got["error"]["data"]["path"].asString());
  }

  void an_answer_that_nobody_waits_for_is_dropped() {
    relay_.slow_reload = true;
    begin(R"({"jsonrpc":"2.0","method":"config.reload","id":1})")->step();
    auto second = begin(R"({"jsonrpc":"2.0","method":"config.reload","id":1})");
    second->step();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, relay_.reloading.size());
    for (const auto& done : relay_.reloading) done({});
    second.reset();  // its answer is on the way
    turn();
    CPPUNIT_ASSERT_EQUAL(0, woken_);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExchangeTest);

}  // namespace wirelay::ctrl::api
