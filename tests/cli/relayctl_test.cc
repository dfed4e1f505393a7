// Protects relayctl as operators and scripts know it: what commands do to a relay, what they print,
// and their exit codes. The real commands talk to the real server before a fake relay.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "crypto/keys.h"
#include "ctrl/json.h"
#include "ctrl/version.h"
#include "tests/support/api_lab.h"

namespace wirelay::cli {

namespace {

const std::string kKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

}  // namespace

class RelayctlTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RelayctlTest);
  CPPUNIT_TEST(users_are_added_changed_shown_and_removed);
  CPPUNIT_TEST(rates_go_to_their_fields);
  CPPUNIT_TEST(peers_are_added_changed_shown_and_removed);
  CPPUNIT_TEST(generated_keys_make_a_ready_client_file);
  CPPUNIT_TEST(a_client_file_says_what_is_missing);
  CPPUNIT_TEST(a_key_of_another_peer_is_refused);
  CPPUNIT_TEST(an_export_is_secret_and_loads_again);
  CPPUNIT_TEST(a_large_file_goes_in_several_requests);
  CPPUNIT_TEST(a_refusal_in_a_large_file_says_where_to_go_on);
  CPPUNIT_TEST(long_lists_are_fetched_whole);
  CPPUNIT_TEST(status_stats_and_drops_are_readable);
  CPPUNIT_TEST(reload_says_what_needs_a_restart);
  CPPUNIT_TEST(json_is_the_result_itself);
  CPPUNIT_TEST(refusals_name_the_field);
  CPPUNIT_TEST(wrong_usage_is_told);
  CPPUNIT_TEST(misspelt_commands_are_guessed);
  CPPUNIT_TEST(every_command_helps);
  CPPUNIT_TEST(examples_are_commands_with_known_options);
  CPPUNIT_TEST(no_relay_is_its_own_exit_code);
  CPPUNIT_TEST(keys_are_made_without_a_relay);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<test::ApiLab> lab_;
  std::jthread loop_;
  std::string out_, err_;

  int run_words(std::vector<std::string> words, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out, err;
    const int code = run(words, {in, out, err});
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  int relayctl(const std::string& line, const std::string& input = "") {
    auto words = words_of(line);
    words.insert(words.end(), {"--socket", lab_->socket});
    return run_words(words, input);
  }
  void done(const std::string& line, const std::string& input = "") {
    const int code = relayctl(line, input);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(line + "\n" + err_, int{kDone}, code);
  }
  static void has(const std::string& text, const std::string& part) {
    CPPUNIT_ASSERT_MESSAGE("no \"" + part + "\" in:\n" + text,
                           text.find(part) != std::string::npos);
  }
  static void has_not(const std::string& text, const std::string& part) {
    CPPUNIT_ASSERT_MESSAGE("\"" + part + "\" in:\n" + text, text.find(part) == std::string::npos);
  }
  /// The registry is the loop's; the loop rests while a test looks at it.
  const ctrl::Registry& registry() {
    loop_ = {};
    return lab_->relay.registry();
  }
  void go_on() { loop_ = lab_->turn_in_background(); }

 public:
  void setUp() override {
    lab_ = std::make_unique<test::ApiLab>();
    go_on();
  }
  void tearDown() override {
    loop_ = {};
    lab_.reset();
  }

  void users_are_added_changed_shown_and_removed() {
    done("user add alice bob --rate 20M --max-peers 3");
    CPPUNIT_ASSERT_EQUAL(std::string("added 2 users\n"), out_);
    done("user set alice --rate-up unlimited --disable");
    CPPUNIT_ASSERT_EQUAL(std::string("changed 1 user\n"), out_);
    done("user show alice");
    has(out_, "alice (disabled)");
    has(out_, "Limit up:      unlimited");
    has(out_, "Limit down:    20 Mbit/s");
    done("user set alice --enable");
    done("user list");
    has(out_, "alice  enabled  unlimited  20 Mbit/s");
    has(out_, "2 of 2 users");
    done("user list --names --after alice");
    CPPUNIT_ASSERT_EQUAL(std::string("bob\n"), out_);
    done("user remove alice bob");
    CPPUNIT_ASSERT_EQUAL(std::string("removed 2 users\n"), out_);
  }

  void rates_go_to_their_fields() {
    done(
        "user add a --rate-up 1M --rate-down 2M --packets-up 3K --packets-down 4K --burst-up 50K "
        "--burst-down 60K");
    done("user add b --rate 5M --packets 6K --burst 70K --rate-down 7M --disable");
    const auto& a = registry().user("a")->limits;
    CPPUNIT_ASSERT((a.up == dataplane::DirectionLimits{1'000'000, 50'000, 3'000}));
    CPPUNIT_ASSERT((a.down == dataplane::DirectionLimits{2'000'000, 60'000, 4'000}));
    const auto& b = *registry().user("b");
    CPPUNIT_ASSERT((b.limits.up == dataplane::DirectionLimits{5'000'000, 70'000, 6'000}));
    CPPUNIT_ASSERT((b.limits.down == dataplane::DirectionLimits{7'000'000, 70'000, 6'000}));
    CPPUNIT_ASSERT(!b.enabled);
  }

  void peers_are_added_changed_shown_and_removed() {
    done("user add alice");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32,fd77::2/128 --public-key " + kKey +
             " --endpoint 192.0.2.1:1000 --keepalive 25 --preshared-key-file -",
         kKey + "\n");
    CPPUNIT_ASSERT_EQUAL(std::string("added 1 peer\n"), out_);
    done("peer show phone");
    has(out_, "Allowed IPs:     10.77.0.2/32, fd77::2/128");
    has(out_, "Keepalive:       every 25 s");
    has(out_, "yes (not shown)");
    done("peer set phone --allowed-ips 10.77.0.3/32 --no-preshared-key --keepalive 0");
    done("peer show phone");
    has(out_, "Allowed IPs:     10.77.0.3/32\n");
    has(out_, "Preshared key:   no");
    has(out_, "Keepalive:       off");
    done("peer list --user alice");
    has(out_, "phone  alice  10.77.0.3/32  -         never");
    done("user show alice");
    has(out_, "Peers:         1 of unlimited, 0 connected");
    done("peer remove phone");
    CPPUNIT_ASSERT_EQUAL(std::string("removed 1 peer\n"), out_);
  }

  void generated_keys_make_a_ready_client_file() {
    done("user add alice");
    done(
        "peer add phone --user alice --allowed-ips 10.77.0.2/32,10.8.0.0/16 --generate "
        "--generate-psk");
    has(out_, "[Interface]\nPrivateKey = ");
    has(out_, "Address = 10.77.0.2/32\n");
    has(out_, "DNS = 10.77.0.1\n");
    has(out_, "PresharedKey = ");
    has(out_, "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 198.51.100.1:51820\n");
    const std::string at = "PrivateKey = ";
    const auto secret = crypto::parse_base64_key(out_.substr(out_.find(at) + at.size(), 44));
    CPPUNIT_ASSERT(secret.has_value());
    const auto* peer = registry().peer("phone");
    CPPUNIT_ASSERT(peer->public_key == crypto::derive_public_key(crypto::Secret(*secret)));
    has(out_, crypto::to_base64(peer->preshared_key->bytes()));
    go_on();
    const std::string file = lab_->folder / "tablet.conf";
    done("peer add tablet --user alice --allowed-ips 10.77.0.3/32 --generate --output " + file);
    CPPUNIT_ASSERT_EQUAL(std::string(), out_);
    has(text_of(file), "PrivateKey = ");
  }

  void a_client_file_says_what_is_missing() {
    done("user add alice");
    done("peer add site --user alice --allowed-ips 10.8.0.0/16 --public-key " + kKey);
    done(
        "peer config site --endpoint vpn.example.net:443 --dns 10.0.0.1,10.0.0.2 --keepalive 25 "
        "--allowed-ips 10.0.0.0/8");
    has(out_, "# PrivateKey = the private key that belongs to " + kKey);
    has(out_, "# Address = an address of this client within 10.8.0.0/16");
    has(out_, "DNS = 10.0.0.1, 10.0.0.2\n");
    has(out_,
        "AllowedIPs = 10.0.0.0/8\nEndpoint = vpn.example.net:443\nPersistentKeepalive = 25\n");
    has_not(out_, "PresharedKey");
  }

  void a_key_of_another_peer_is_refused() {
    done("user add alice");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32 --public-key " + kKey);
    const std::string other = crypto::to_base64(crypto::generate_private_key().bytes());
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("peer config phone --private-key-file -", other));
    has(err_, "another key");
    has_not(err_, other);
  }

  void an_export_is_secret_and_loads_again() {
    done("user add alice --rate 20M --max-peers 5");
    done("user add bob --disable");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32,fd77::2/128 --public-key " + kKey +
             " --endpoint [2001:db8::1]:1000 --keepalive 25 --preshared-key-file -",
         kKey);
    const std::string file = lab_->folder / "users.json";
    done("export " + file);
    struct stat status;
    CPPUNIT_ASSERT_EQUAL(0, stat(file.c_str(), &status));
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, status.st_mode & 0777);
    const std::string first = text_of(file);
    has(first, "\"preshared_key\"");
    done("user remove alice bob");
    done("user add --file " + file);
    CPPUNIT_ASSERT_EQUAL(std::string("added 2 users, 1 peer\n"), out_);
    done("export -");
    CPPUNIT_ASSERT_EQUAL(first, out_);
  }

  /// A file of `n` users, the one at `wrong` refused by the relay.
  std::string users_file(int n, int wrong = -1) {
    const std::string path = lab_->folder / "many.json";
    std::ofstream file(path);
    file << "{\"users\": [";
    for (int i = 0; i < n; ++i) {
      file << (i == 0 ? "" : ",") << R"({"name": "user)" << (i == wrong ? " " : "") << i
           << R"(", "limits": {"up": {"rate": "20M"}, "down": {"rate": "20M", "packets": 1000}}})";
    }
    file << "]}";
    return path;
  }

  void a_large_file_goes_in_several_requests() {
    done("user add --file " + users_file(20'000));
    CPPUNIT_ASSERT_EQUAL(std::string("added 20,000 users\n"), out_);
    CPPUNIT_ASSERT_EQUAL(size_t{20'000}, registry().user_count());
  }

  void a_refusal_in_a_large_file_says_where_to_go_on() {
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file " + users_file(20'000, 15'000)));
    has(err_, "user 15000");
    has(err_, "stopped at users ");
    has(err_, "of 20,000");
    const std::string hint = "--first ";
    const int first = std::atoi(err_.c_str() + err_.find(hint) + hint.size());
    CPPUNIT_ASSERT(first > 1 && first <= 15'001);
    CPPUNIT_ASSERT_EQUAL(static_cast<size_t>(first - 1), registry().user_count());
    go_on();
    done("user add --first " + std::to_string(first) + " --file " + users_file(20'000));
    CPPUNIT_ASSERT_EQUAL(size_t{20'000}, registry().user_count());
    go_on();
    // What fits into one request is added wholly or not at all.
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file " + users_file(100, 99)));
    has(err_, "nothing was changed");
  }

  void long_lists_are_fetched_whole() {
    done("user add --file " + users_file(2500));
    done("user list --names");
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{2500}, std::ranges::count(out_, '\n'));
    done("user list --json");
    const Json::Value all = ctrl::parse_json(out_, {16u << 20, 32, false});
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{2500}, all["users"].size());
    CPPUNIT_ASSERT(all["next"].isNull());
    done("user list --limit 10 --json");
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{10},
                         ctrl::parse_json(out_, {16u << 20, 32, false})["users"].size());
  }

  void status_stats_and_drops_are_readable() {
    loop_ = {};
    lab_->relay.worker.drops[static_cast<size_t>(dataplane::Drop::kBadTag)].add(1234);
    lab_->relay.worker.stages[0].packets.add(640);
    lab_->relay.worker.stages[0].batches.add(20);
    lab_->relay.worker.stages[0].cycles.add(6432);
    go_on();
    done("status");
    has(out_, "Running for:  1 d 2 h\n");
    has(out_, "AEAD engine:  ipsec-mb (fastest usable engine)");
    has(out_, "198.51.100.254  wan");
    done("stats");
    has(out_, "classify         640           32.0           10.1\n");
    has(out_, "1,234,567    1.2 GB");
    done("drops");
    has(out_, "  1,234  bad_tag  authentication failed\n");
    has_not(out_, "replayed");
    done("drops --all");
    has(out_, "replayed");
  }

  void reload_says_what_needs_a_restart() {
    loop_ = {};
    lab_->relay.on_reload = [] {
      ctrl::ReloadResult result;
      result.users_added = 1;
      result.peers_removed = 2;
      result.needs_restart = {"workers.cores"};
      return result;
    };
    go_on();
    done("reload");
    CPPUNIT_ASSERT_EQUAL(std::string("reloaded: added 1 user; removed 2 peers\n"
                                     "changed, but needs a restart: workers.cores\n"),
                         out_);
  }

  void json_is_the_result_itself() {
    done("--json user add alice");
    CPPUNIT_ASSERT_EQUAL(1u, ctrl::parse_json(out_, {})["users_added"].asUInt());
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add alice --json"));
    CPPUNIT_ASSERT_EQUAL(-32602, ctrl::parse_json(out_, {})["error"]["code"].asInt());
  }

  void refusals_name_the_field() {
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add alice --rate-up 0"));
    has(err_, "relayctl: limits.up.rate: ");
    has(err_, "nothing was changed");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user show nobody"));
    has(err_, "there is no user \"nobody\"");
    done("user add alice");
    CPPUNIT_ASSERT_EQUAL(int{kRefused},
                         relayctl("peer add x --user alice --allowed-ips 10.77.0.1/32 "
                                  "--public-key " +
                                  kKey));
    has(err_, "allowed_ips[0]: 10.77.0.1/32 overlaps 10.77.0.1/32, the relay's own address");
    CPPUNIT_ASSERT_EQUAL(int{kRefused},
                         relayctl("peer add x --user alice --allowed-ips 10.77.0.2/32 "
                                  "--public-key abc"));
    has(err_, "public_key: ");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file /nonexistent"));
    has(err_, "cannot read /nonexistent");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file -", "{\"users\": [}"));
    has(err_, "not JSON");
  }

  void wrong_usage_is_told() {
    for (const std::string line :
         {"user", "user add", "user set alice", "user show", "user show a b", "user remove",
          "status now", "user add alice --rat 20M", "user add alice --file x", "peer add x",
          "peer add x --user a --allowed-ips 10.0.0.1", "peer set x",
          "peer add x --user a --allowed-ips 10.0.0.1 --generate --public-key k",
          "user set a --enable --disable", "user list --limit ten", "export", "nonsense"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(line, int{kUsage}, relayctl(line));
      CPPUNIT_ASSERT_MESSAGE(line, !err_.empty() && out_.empty());
    }
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, run_words({"user", "add", "alice", "--rate"}));
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, run_words({}));
    has(err_, "Usage: relayctl");
  }

  void misspelt_commands_are_guessed() {
    relayctl("statsu");
    has(err_, "did you mean \"stats\"?");
    relayctl("user ad x");
    has(err_, "did you mean \"user add\"?");
    relayctl("per list");
    has(err_, "did you mean \"peer list\"?");
    relayctl("frobnicate");
    has_not(err_, "did you mean");
  }

  void every_command_helps() {
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"help"}));
    const std::string overview = out_;
    for (const Command& command : all_commands()) {
      has(overview, std::string(command.name));
      auto words = words_of(std::string(command.name));
      words.insert(words.begin(), "help");
      CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words(words));
      has(out_, "Examples:\n  ");
      words.erase(words.begin());
      words.emplace_back("--help");
      const std::string help = out_;
      CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words(words));
      CPPUNIT_ASSERT_EQUAL(help, out_);
    }
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"help", "user"}));
    has(out_, "user remove");
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"--version"}));
    has(out_, std::string("relayctl ") + ctrl::version());
  }

  void examples_are_commands_with_known_options() {
    for (const Command& command : all_commands()) {
      has(std::string(command.examples), "relayctl " + std::string(command.name));
      std::string known;
      const po::options_description described = options_of(command);
      for (const auto& option : described.options()) {
        known += "--" + option->long_name() + ' ';
      }
      for (const auto& word : words_of(std::string(command.examples))) {
        if (word.starts_with("--")) has(known, word + ' ');
      }
    }
  }

  void no_relay_is_its_own_exit_code() {
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable},
                         run_words({"status", "--socket", lab_->folder / "none.sock"}));
    has(err_, "is relayd running?");
    setenv("WIRELAY_SOCKET", (lab_->folder / "other.sock").c_str(), 1);
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, run_words({"status"}));
    has(err_, "other.sock");
    setenv("WIRELAY_SOCKET", lab_->socket.c_str(), 1);
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"status"}));
    unsetenv("WIRELAY_SOCKET");
  }

  void keys_are_made_without_a_relay() {
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"genkey"}));
    const std::string first = out_;
    CPPUNIT_ASSERT_EQUAL(size_t{45}, first.size());
    run_words({"genkey"});
    CPPUNIT_ASSERT(first != out_);
    // RFC 7748, section 6.1: Alice's keys.
    CPPUNIT_ASSERT_EQUAL(int{kDone},
                         run_words({"pubkey"}, "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n"), out_);
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"genpsk"}));
    CPPUNIT_ASSERT(crypto::parse_base64_key(out_.substr(0, 44)).has_value());
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, run_words({"pubkey"}, "secret that is no key"));
    has_not(err_, "secret that");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RelayctlTest);

}  // namespace wirelay::cli
