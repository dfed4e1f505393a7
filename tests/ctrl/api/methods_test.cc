// Protects what each method does and returns: the promises of docs/api.md.
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/api/method.h"
#include "ctrl/base/json.h"
#include "ctrl/base/version.h"
#include "dataplane/pipeline.h"
#include "tests/support/fake_relay.h"

namespace wirelay::ctrl::api {

class MethodsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MethodsTest);
  CPPUNIT_TEST(users_are_added_with_their_peers_all_or_none);
  CPPUNIT_TEST(what_is_done_and_hardly_meant_is_told_of);
  CPPUNIT_TEST(users_are_changed_field_by_field);
  CPPUNIT_TEST(users_are_removed_with_their_peers);
  CPPUNIT_TEST(lists_are_paged);
  CPPUNIT_TEST(peers_come_and_go);
  CPPUNIT_TEST(peers_of_one_user_are_paged);
  CPPUNIT_TEST(preshared_keys_are_shown_only_when_asked_for);
  CPPUNIT_TEST(a_client_file_gets_what_it_needs);
  CPPUNIT_TEST(many_problems_are_told_within_bounds);
  CPPUNIT_TEST(wrong_params_name_the_field);
  CPPUNIT_TEST(what_does_not_exist_is_not_found);
  CPPUNIT_TEST(status_tells_what_runs);
  CPPUNIT_TEST(status_tells_how_much_is_in_use);
  CPPUNIT_TEST(nat_tells_who_has_which_ports);
  CPPUNIT_TEST(stats_tell_each_stage);
  CPPUNIT_TEST(drops_are_summed_by_name);
  CPPUNIT_TEST(reload_tells_what_changed);
  CPPUNIT_TEST(every_method_says_what_it_is);
  CPPUNIT_TEST(ports_tell_what_their_devices_grant);
  CPPUNIT_TEST_SUITE_END();

  test::FakeRelay relay_;

  Json::Value reply(const std::string& method, const std::string& params) {
    return parse_json(relay_.answer(R"({"jsonrpc":"2.0","id":1,"method":")" + method +
                                    "\",\"params\":" + params + "}"),
                      {64u << 20, 32, false});
  }
  Json::Value call(const std::string& method, const std::string& params) {
    const Json::Value got = reply(method, params);
    CPPUNIT_ASSERT_MESSAGE(write_json(got), got.isMember("result"));
    return got["result"];
  }
  void assert_refused(const std::string& method, const std::string& params, const std::string& path,
                      int code = -32602) {
    const Json::Value error = reply(method, params)["error"];
    CPPUNIT_ASSERT_EQUAL_MESSAGE(write_json(error), code, error["code"].asInt());
    if (code == -32602) CPPUNIT_ASSERT_EQUAL(path, error["data"]["path"].asString());
  }
  static std::string key(uint32_t seed) { return crypto::to_base64(test::test_key(seed)); }
  static std::string peer(const std::string& name, uint32_t seed, const std::string& more = "") {
    return R"({"name":")" + name + R"(","public_key":")" + key(seed) +
           R"(","allowed_ips":["10.1.0.)" + std::to_string(seed) + "/32\"]" + more + "}";
  }
  void add_alice() {
    call("user.add", R"({"name":"alice","limits":{"up":{"rate":"20M"}},"peers":[)" +
                         peer("phone", 1) + "," + peer("laptop", 2) + "]}");
  }

 public:
  void what_is_done_and_hardly_meant_is_told_of() {
    const std::string placed = R"(,"endpoint":"[2001:db8::2]:9")";
    const Json::Value result =
        call("user.add", R"({"name":"alice","peers":[)" + peer("phone", 1, placed) + "]}");
    CPPUNIT_ASSERT_EQUAL(1u, result["peers_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(1u, result["warnings"].size());
    CPPUNIT_ASSERT(result["warnings"][0].asString().starts_with(
        "params.peers[0].endpoint: 2001:db8::2 is an IPv6 address"));
    CPPUNIT_ASSERT(!call("user.add", R"({"name":"bob"})").isMember("warnings"));
  }

  void users_are_added_with_their_peers_all_or_none() {
    const Json::Value counts = call("user.add", R"({"users":[{"name":"alice","peers":[)" +
                                                    peer("phone", 1) + R"(]},{"name":"bob"}]})");
    CPPUNIT_ASSERT_EQUAL(2u, counts["users_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(1u, counts["peers_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(0u, counts["peers_removed"].asUInt());
    assert_refused("user.add",
                   R"({"users":[{"name":"carol"},{"name":"dave","peers":[)" + peer("x", 1) + "]}]}",
                   "params.users[1].peers[0].public_key");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, relay_.registry().user_count());
    assert_refused("user.add", R"({"name":"bob"})", "params.name");
    assert_refused("user.add", R"({"users":[]})", "params.users");
  }

  void users_are_changed_field_by_field() {
    add_alice();
    const Json::Value counts =
        call("user.set", R"({"name":"alice","limits":{"down":{"rate":"1.5G"}},"enabled":false})");
    CPPUNIT_ASSERT_EQUAL(1u, counts["users_changed"].asUInt());
    const UserSpec& alice = *relay_.registry().user("alice");
    CPPUNIT_ASSERT_EQUAL(uint64_t{20'000'000}, alice.limits().up.bits_per_second);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1'500'000'000}, alice.limits().down.bits_per_second);
    CPPUNIT_ASSERT(!alice.enabled());
    call("user.set", R"({"users":[{"name":"alice","limits":{"up":{"rate":"unlimited"}}}]})");
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, relay_.registry().user("alice")->limits().up.bits_per_second);
    assert_refused("user.set", R"({"name":"alice","limits":{"up":{"rate":0}}})",
                   "params.limits.up.rate");
    assert_refused("user.set", R"({"name":"nobody","enabled":true})", "params.name");
  }

  void users_are_removed_with_their_peers() {
    add_alice();
    call("user.add", R"({"name":"bob"})");
    assert_refused("user.remove", R"({"names":["alice","nobody"]})", "params.names[1].name");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, relay_.registry().user_count());
    const Json::Value counts = call("user.remove", R"({"names":["alice","bob"]})");
    CPPUNIT_ASSERT_EQUAL(2u, counts["users_removed"].asUInt());
    CPPUNIT_ASSERT_EQUAL(2u, counts["peers_removed"].asUInt());
    assert_refused("user.remove", R"({"names":[7]})", "params.names[0]");
    assert_refused("user.remove", R"({})", "params.name");
  }

  void lists_are_paged() {
    for (const char* name : {"c", "a", "b"}) {
      call("user.add", std::string(R"({"name":")") + name + "\"}");
    }
    const Json::Value first = call("user.list", R"({"limit":2})");
    CPPUNIT_ASSERT_EQUAL(std::string("a"), first["users"][0]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("b"), first["next"].asString());
    CPPUNIT_ASSERT_EQUAL(3u, first["total"].asUInt());
    const Json::Value second = call("user.list", R"({"limit":2,"after":"b"})");
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{1}, second["users"].size());
    CPPUNIT_ASSERT(second["next"].isNull());
    CPPUNIT_ASSERT(call("user.list", R"({"after":"zzz"})")["users"].isArray());
    assert_refused("user.list", R"({"limit":1001})", "params.limit");
    assert_refused("user.list", R"({"limit":0})", "params.limit");
    assert_refused("user.list", R"({"after":1})", "params.after");
  }

  void peers_come_and_go() {
    call("user.add", R"({"name":"alice"})");
    call("peer.add", R"({"peers":[)" + peer("phone", 1, R"(,"user":"alice")") + "," +
                         peer("laptop", 2, R"(,"user":"alice")") + "]}");
    call("peer.set", R"({"name":"phone","persistent_keepalive":25})");
    relay_.peer_statuses["phone"] = {dataplane::parse_endpoint("192.0.2.9:4000"),
                                     1'700'000'000'500'000'000,
                                     {1, 100, 2, 200},
                                     true};
    const Json::Value got = call("peer.get", R"({"name":"phone"})");
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), got["user"].asString());
    CPPUNIT_ASSERT_EQUAL(25u, got["persistent_keepalive"].asUInt());
    const Json::Value& status = got["status"];
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.9:4000"), status["endpoint"].asString());
    CPPUNIT_ASSERT_EQUAL(1'700'000'000u, status["last_handshake"].asUInt());
    CPPUNIT_ASSERT_EQUAL(200u, status["traffic"]["tx_bytes"].asUInt());
    CPPUNIT_ASSERT(status["has_session"].asBool());

    const Json::Value user = call("user.get", R"({"name":"alice"})");
    CPPUNIT_ASSERT_EQUAL(1u, user["status"]["peers_connected"].asUInt());
    CPPUNIT_ASSERT_EQUAL(100u, user["status"]["traffic"]["rx_bytes"].asUInt());
    CPPUNIT_ASSERT_EQUAL(std::string("laptop"), user["peers"][0]["name"].asString());

    const Json::Value counts = call("peer.remove", R"({"name":"phone"})");
    CPPUNIT_ASSERT_EQUAL(1u, counts["peers_removed"].asUInt());
    assert_refused("peer.add", R"({"name":"x","user":"bob","public_key":"short"})",
                   "params.public_key");
    assert_refused("peer.add", peer("x", 2, R"(,"user":"alice")"), "params.public_key");
  }

  void peers_of_one_user_are_paged() {
    add_alice();
    call("user.add", R"({"name":"bob","peers":[)" + peer("m", 5) + "]}");
    const Json::Value first = call("peer.list", R"({"user":"alice","limit":1})");
    CPPUNIT_ASSERT_EQUAL(std::string("laptop"), first["peers"][0]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(2u, first["total"].asUInt());
    const Json::Value second = call("peer.list", R"({"user":"alice","after":"laptop","limit":1})");
    CPPUNIT_ASSERT_EQUAL(std::string("phone"), second["peers"][0]["name"].asString());
    CPPUNIT_ASSERT(second["next"].isNull());
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{3}, call("peer.list", "{}")["peers"].size());
  }

  void preshared_keys_are_shown_only_when_asked_for() {
    const std::string secret = key(99);
    call("user.add", R"({"name":"alice","peers":[)" +
                         peer("phone", 1, R"(,"preshared_key":")" + secret + "\"") + "]}");
    for (const std::string method : {"user.get", "peer.get"}) {
      const Json::Value got =
          call(method, method == "user.get" ? R"({"name":"alice"})" : R"({"name":"phone"})");
      CPPUNIT_ASSERT(write_json(got).find(secret) == std::string::npos);
    }
    const Json::Value hidden = call("peer.list", "{}");
    CPPUNIT_ASSERT(hidden["peers"][0]["has_preshared_key"].asBool());
    CPPUNIT_ASSERT(write_json(hidden).find(secret) == std::string::npos);
    const Json::Value shown = call("peer.list", R"({"preshared_keys":true})");
    CPPUNIT_ASSERT_EQUAL(secret, shown["peers"][0]["preshared_key"].asString());
    CPPUNIT_ASSERT_EQUAL(secret,
                         call("peer.config", R"({"name":"phone"})")["preshared_key"].asString());
    // Nor does a refusal repeat one.
    const Json::Value error = reply("peer.set", R"({"name":"phone","preshared_key":"hunter2"})");
    CPPUNIT_ASSERT(write_json(error).find("hunter2") == std::string::npos);
  }

  void a_client_file_gets_what_it_needs() {
    add_alice();
    const auto endpoint = [&] {
      return call("peer.config", R"({"name":"phone"})")["relay"]["endpoint"].asString();
    };
    CPPUNIT_ASSERT_EQUAL(std::string("198.51.100.1:51820"), endpoint());
    relay_.running.listen_addresses = {*dataplane::parse_ip("2001:db8::5")};
    CPPUNIT_ASSERT_EQUAL(std::string("[2001:db8::5]:51820"), endpoint());
    relay_.running.public_endpoint = "vpn.example.net:51820";
    CPPUNIT_ASSERT_EQUAL(std::string("vpn.example.net:51820"), endpoint());
    const Json::Value got = call("peer.config", R"({"name":"phone"})");
    CPPUNIT_ASSERT_EQUAL(crypto::to_base64(relay_.public_key()),
                         got["relay"]["public_key"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("10.77.0.1"), got["relay"]["dns"][0].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.1/32"), got["allowed_ips"][0].asString());
    // Its packets fit into the port's, into the Internet's, and are no smaller than IPv6 demands.
    const auto mtu = [&](uint16_t port) {
      relay_.mtu = port;
      return call("peer.config", R"({"name":"phone"})")["relay"]["mtu"].asUInt();
    };
    CPPUNIT_ASSERT_EQUAL(1420u, mtu(1500));
    CPPUNIT_ASSERT_EQUAL(1380u, mtu(1460));
    CPPUNIT_ASSERT_EQUAL(1420u, mtu(9000));
    CPPUNIT_ASSERT_EQUAL(1280u, mtu(576));
  }

  void many_problems_are_told_within_bounds() {
    std::string users = R"({"users":[{"name":"a b"})";
    for (int i = 1; i < 5000; ++i) users += R"(,{"name":"a b"})";
    const Json::Value error = reply("user.add", users + "]}")["error"];
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{100}, error["data"]["problems"].size());
    CPPUNIT_ASSERT_EQUAL(100u, error["data"]["problems_found"].asUInt());
    CPPUNIT_ASSERT(!error["data"]["problems_complete"].asBool());
    // No part of a request that is all wrong is looked through to its end.
    const auto list = [](const char* entry) {
      std::string text = std::string("[") + entry;
      for (int i = 1; i < 5000; ++i) text.append(",").append(entry);
      return text + "]";
    };
    std::string fields = "{\"name\":\"a\"";
    for (int i = 0; i < 5000; ++i) fields += ",\"f" + std::to_string(i) + "\":1";
    for (const auto& [method, params] : {
             std::pair("user.add", "{\"users\":" + list("1") + "}"),
             std::pair("user.remove", "{\"names\":" + list("1") + "}"),
             std::pair("user.add", "{\"name\":\"a\",\"peers\":" + list("[]") + "}"),
             std::pair("peer.set", "{\"name\":\"a\",\"allowed_ips\":" + list("1") + "}"),
             std::pair("user.set", fields + "}"),
         }) {
      const Json::Value data = reply(method, params)["error"]["data"];
      CPPUNIT_ASSERT_EQUAL_MESSAGE(params.substr(0, 50), 100u, data["problems_found"].asUInt());
    }
  }

  void wrong_params_name_the_field() {
    assert_refused("user.add", R"({"name":"a","limit":{}})", "params.limit");
    const Json::Value error = reply("user.add", R"({"name":"a","limit":{}})")["error"];
    CPPUNIT_ASSERT(error["message"].asString().find("limits") != std::string::npos);
    assert_refused("user.add", R"({"users":{},"name":"x"})", "params.users");
    assert_refused("user.add", R"({"users":[3]})", "params.users[0]");
    assert_refused("user.add", R"({"name":"a","max_peers":-1})", "params.max_peers");
    assert_refused("user.add", R"({"name":["a"]})", "params.name");
  }

  void what_does_not_exist_is_not_found() {
    for (const std::string method : {"user.get", "peer.get", "peer.config"}) {
      assert_refused(method, R"({"name":"nobody"})", "", -32001);
    }
    assert_refused("peer.list", R"({"user":"nobody"})", "", -32001);
  }

  void status_tells_what_runs() {
    add_alice();
    relay_.counters.handshakes_completed = 5;
    relay_.counters.no_memory = 6;
    relay_.counters_of_neighbours.table_full = 7;
    relay_.counters.refused_replay = 2;
    relay_.worker.polls.add(10);
    const Json::Value got = call("status.get", "{}");
    CPPUNIT_ASSERT_EQUAL(std::string(version()), got["version"].asString());
    CPPUNIT_ASSERT_EQUAL(93784u, got["uptime_seconds"].asUInt());
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec-mb"), got["engine"]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{2}, got["engines"].size());
    CPPUNIT_ASSERT(got["x25519_engine"]["usable"].asBool());
    CPPUNIT_ASSERT_EQUAL(2u, got["peers"].asUInt());
    CPPUNIT_ASSERT_EQUAL(1u, got["workers"][0]["core"].asUInt());
    CPPUNIT_ASSERT_EQUAL(10u, got["workers"][0]["polls"].asUInt());
    CPPUNIT_ASSERT_EQUAL(std::string("wan"), got["ports"][0]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(5u, got["handshakes"]["completed"].asUInt());
    CPPUNIT_ASSERT_EQUAL(2u, got["handshakes"]["refused"]["replay"].asUInt());
    CPPUNIT_ASSERT_EQUAL(6u, got["handshakes"]["no_memory"].asUInt());
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), got["neighbours"][0]["state"].asString());
    CPPUNIT_ASSERT_EQUAL(7u, got["neighbour_counters"]["table_full"].asUInt());
  }

  void ports_tell_what_their_devices_grant() {
    const Json::Value port = call("port.list", "{}")["ports"][0];
    CPPUNIT_ASSERT_EQUAL(std::string("net_i40e"), port["driver"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("both"), port["role"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("udp"), port["hash"][1].asString());
    CPPUNIT_ASSERT_EQUAL(4096u, port["rx_descriptors"].asUInt());
    CPPUNIT_ASSERT(port["numa_node"].isNull() && port["link_up"].asBool());
    CPPUNIT_ASSERT_EQUAL(1234u, port["rx_missed"].asUInt());
  }

  void status_tells_how_much_is_in_use() {
    CPPUNIT_ASSERT(call("status.get", "{}")["load"].isNull());
    relay_.load_meter.tick(1'000);
    relay_.worker.busy_cycles.add(250);
    relay_.worker.time.add(700, 10);
    relay_.load_meter.tick(2'000);
    const Json::Value load = call("status.get", "{}")["load"];
    CPPUNIT_ASSERT_EQUAL(25.0, load["busy_percent"].asDouble());
    CPPUNIT_ASSERT_EQUAL(75.0, load["headroom_percent"].asDouble());
    CPPUNIT_ASSERT_EQUAL(0.8, load["time_us"]["p50"].asDouble());
    CPPUNIT_ASSERT_EQUAL(0u, load["workers"][0]["id"].asUInt());
    CPPUNIT_ASSERT_EQUAL(25.0, load["workers"][0]["busy_percent"].asDouble());
    CPPUNIT_ASSERT(load["workers"][0]["queued"].isNull());
  }

  void nat_tells_who_has_which_ports() {
    CPPUNIT_ASSERT(call("nat.get", "{}")["nat44"].isNull());
    CPPUNIT_ASSERT_EQUAL(0u, call("nat.blocks", "{}")["blocks"].size());
    NatStatus& nat = relay_.nat_status.emplace();
    nat.blocks = 2000;
    nat.blocks_free = 1997;
    nat.records_used = 7;
    for (const uint32_t block : {0u, 700u, 1999u}) {
      relay_.nat_blocks[block] = {
          block, "alice", *dataplane::parse_ip("198.51.100.7"), 1024, 1535, 0, 4, 5};
    }
    CPPUNIT_ASSERT_EQUAL(1997u, call("nat.get", "{}")["nat44"]["blocks_free"].asUInt());
    CPPUNIT_ASSERT_EQUAL(7u, call("nat.get", "{}")["nat44"]["records_used"].asUInt());
    const Json::Value page = call("nat.blocks", R"({"limit": 2})");
    CPPUNIT_ASSERT_EQUAL(2u, page["blocks"].size());
    CPPUNIT_ASSERT_EQUAL(701u, page["next"].asUInt());
    const Json::Value rest = call("nat.blocks", R"({"from": 701})");
    CPPUNIT_ASSERT_EQUAL(1u, rest["blocks"].size());
    CPPUNIT_ASSERT(rest["next"].isNull());
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), rest["blocks"][0]["user"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("198.51.100.7"), rest["blocks"][0]["address"].asString());
    CPPUNIT_ASSERT_EQUAL(1535u, rest["blocks"][0]["last_port"].asUInt());
    CPPUNIT_ASSERT_EQUAL(5u, rest["blocks"][0]["flows"].asUInt());
  }

  void stats_tell_each_stage() {
    relay_.worker.stages[1].packets.add(90);
    relay_.worker.stages[1].batches.add(4);
    relay_.worker.stages[1].cycles.add(900);
    const Json::Value got = call("stats.get", "{}");
    const Json::Value& stages = got["workers"][0]["stages"];
    CPPUNIT_ASSERT_EQUAL(static_cast<Json::ArrayIndex>(dataplane::kPipeline.size()), stages.size());
    CPPUNIT_ASSERT_EQUAL(std::string(dataplane::kPipeline[1].name), stages[1]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(10.0, stages[1]["cycles_per_packet"].asDouble());
    CPPUNIT_ASSERT_EQUAL(22.5, stages[1]["packets_per_batch"].asDouble());
    CPPUNIT_ASSERT(stages[0]["cycles_per_packet"].isNull());
    CPPUNIT_ASSERT_EQUAL(1'234'567u, got["ports"][0]["rx_packets"].asUInt());
  }

  void drops_are_summed_by_name() {
    relay_.worker.drops[static_cast<size_t>(dataplane::Drop::kBadTag)].add(3);
    const Json::Value all = call("drops.get", "{}");
    CPPUNIT_ASSERT_EQUAL(static_cast<Json::ArrayIndex>(dataplane::kDropCount), all["drops"].size());
    const Json::Value some = call("drops.get", R"({"nonzero":true})");
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{1}, some["drops"].size());
    CPPUNIT_ASSERT_EQUAL(std::string("bad_tag"), some["drops"][0]["name"].asString());
    CPPUNIT_ASSERT_EQUAL(3u, some["total"].asUInt());
  }

  void reload_tells_what_changed() {
    relay_.on_reload = [] {
      ReloadOutcome result;
      result.counts.users_added = 2;
      result.needs_restart = {"ports"};
      return result;
    };
    const Json::Value got = call("config.reload", "{}");
    CPPUNIT_ASSERT_EQUAL(2u, got["users_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(std::string("ports"), got["needs_restart"][0].asString());
    CPPUNIT_ASSERT(relay_.reload_options == ReloadOptions{.caller = Caller{}} &&
                   !got.isMember("difference"));
    CPPUNIT_ASSERT(
        call("config.reload", R"({"dry_run":true,"force":true})")["difference"].isArray());
    CPPUNIT_ASSERT(relay_.reload_options.dry_run && relay_.reload_options.force);
    relay_.on_reload = []() -> ReloadOutcome {
      throw Refused("relayd.json: users[0].name", "is missing");
    };
    assert_refused("config.reload", "{}", "relayd.json: users[0].name");
  }

  void every_method_says_what_it_is() {
    const Json::Value got = call("api.methods", "{}");
    for (const Json::Value& method : got["methods"]) {
      CPPUNIT_ASSERT(method["name"].asString().find('.') != std::string::npos);
      CPPUNIT_ASSERT(method["params"].asString().starts_with('{'));
      CPPUNIT_ASSERT(!method["text"].asString().empty());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MethodsTest);

}  // namespace wirelay::ctrl::api
