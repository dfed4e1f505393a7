// Protects the command line: what it means, and that a mistake is told by the option's name.
#include "tools/relaygen/options.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

using Arguments = std::vector<std::string>;

Arguments rig(const char* command, const Arguments& more = {}) {
  Arguments all = {command,
                   "--peers",
                   "p.txt",
                   "--remote-key",
                   "VaYyIUNeMLQ0iHudlcDy+zxq3lAZ0TVul5KG2kTi9ws=",
                   "--endpoint",
                   "198.51.100.1:51820",
                   "--tunnel-port",
                   "net_ring0",
                   "--tunnel-ip",
                   "198.51.100.254/24"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string refusal(const Arguments& arguments) {
  try {
    (void)parse_options(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

class OptionsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OptionsTest);
  CPPUNIT_TEST(lists_make_a_matrix);
  CPPUNIT_TEST(rates);
  CPPUNIT_TEST(storms);
  CPPUNIT_TEST(loads_are_per_cent);
  CPPUNIT_TEST(full_ring_follows_the_rate);
  CPPUNIT_TEST(mistakes_name_the_option);
  CPPUNIT_TEST(every_command_has_help_with_examples);
  CPPUNIT_TEST(parameters_are_kept_for_the_report);
  CPPUNIT_TEST_SUITE_END();

  void lists_make_a_matrix() {
    const Options options =
        parse_options(rig("run", {"--mode", "up,hub", "--size", "64,imix", "--users", "1,1000"}));
    CPPUNIT_ASSERT(options.command == Command::kRun);
    CPPUNIT_ASSERT(options.traffic.modes == (std::vector{Mode::kUp, Mode::kHub}));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, options.traffic.sizes.size());
    CPPUNIT_ASSERT(options.traffic.users == (std::vector<uint32_t>{1, 1000}));
    CPPUNIT_ASSERT(options.tunnel.addresses[0].network ==
                   dataplane::parse_prefix("198.51.100.0/24").value());
  }

  void rates() {
    CPPUNIT_ASSERT(!parse_rate("rate", "max"));
    CPPUNIT_ASSERT_EQUAL(1.5e6, parse_rate("rate", "1.5M")->packets(64));
    CPPUNIT_ASSERT_EQUAL(250.0, parse_rate("rate", "250")->packets(64));
    CPPUNIT_ASSERT_DOUBLES_EQUAL(1e6, parse_rate("rate", "8Gbit")->packets(1000), 1e-6);
    for (const char* text :
         {"", "0", "-1", "1T", "M", "nan", "1 M", "bit", "inf", "1e300", "2000G"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(text, parse_rate("rate", text), UsageError);
    }
  }

  void storms() {
    Options options = parse_options(rig("storm"));
    CPPUNIT_ASSERT(options.storm.kind == StormOptions::Kind::kInitiations);
    CPPUNIT_ASSERT_EQUAL(20'000.0, options.storm.offer.value());
    CPPUNIT_ASSERT_EQUAL(1000.0, options.traffic.rate->packets(64));
    options =
        parse_options(rig("storm", {"--kind", "spoofed", "--offer", "max", "--newcomers", "8"}));
    CPPUNIT_ASSERT(!options.storm.offer);
    CPPUNIT_ASSERT_EQUAL(8u, options.storm.newcomers);
  }

  void loads_are_per_cent() {
    const Options options = parse_options(rig("latency", {"--load", "5,150"}));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, options.search.loads.size());
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.05, options.search.loads[0], 1e-12);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(1.5, options.search.loads[1], 1e-12);
  }

  void full_ring_follows_the_rate() {
    CPPUNIT_ASSERT(parse_options(rig("run")).traffic.wait_for_ring);
    CPPUNIT_ASSERT(!parse_options(rig("run", {"--rate", "1K"})).traffic.wait_for_ring);
    CPPUNIT_ASSERT(!parse_options(rig("run", {"--full-ring", "drop"})).traffic.wait_for_ring);
  }

  void mistakes_name_the_option() {
    const std::pair<Arguments, const char*> mistakes[] = {
        {rig("run", {"--mode", "sideways"}), "--mode"},
        {rig("run", {"--size", "10"}), "--size"},
        {rig("run", {"--users", "0"}), "--users"},
        {rig("run", {"--rate", "fast"}), "--rate"},
        {rig("run", {"--tunnel-mac", "02:00"}), "--tunnel-mac"},
        {rig("run", {"--plain-port", "net_ring1"}), "--plain-ip"},
        {rig("run", {"--target", "10.0.0"}), "--target"},
        {rig("run", {"--full-ring", "maybe"}), "drop"},
        {rig("storm", {"--kind", "hail"}), "--kind"},
        {rig("storm", {"--offer", "max"}), "--offer"},
        {rig("storm", {"--offer", "1Gbit"}), "--offer"},
        {rig("storm", {"--unknown", "2"}), "--unknown"},
        {rig("search", {"--resolution", "0"}), "--resolution"},
        {rig("search", {"--tries", "0"}), "--tries"},
        {{"run"}, "--peers"},
        {{"peers", "--out", "x"}, "--count"},
        {{"peers", "--out", "x", "--count", "2000000"}, "1000000"},
        {{"sprint"}, "sprint"},
        {{"help", "sprint"}, "sprint"},
        {rig("run", {"sprint"}), "sprint"},
    };
    for (const auto& [arguments, expected] : mistakes) {
      const std::string said = refusal(arguments);
      CPPUNIT_ASSERT_MESSAGE(said + " should name " + expected,
                             said.find(expected) != std::string::npos);
    }
  }

  void every_command_has_help_with_examples() {
    for (const char* command : {"peers", "run", "search", "latency", "handshakes", "storm"}) {
      const Options options = parse_options({command, "--help"});
      CPPUNIT_ASSERT(options.command == Command::kHelp);
      const std::string example = std::string("\n  relaygen ") + command;
      CPPUNIT_ASSERT_MESSAGE(command, options.help.find(example) != std::string::npos);
      CPPUNIT_ASSERT_EQUAL(options.help, parse_options({"help", command}).help);
    }
  }

  void parameters_are_kept_for_the_report() {
    const Options options = parse_options(rig("run", {"--seed", "77"}));
    CPPUNIT_ASSERT_EQUAL(std::string("77"), options.given.at("seed"));
    CPPUNIT_ASSERT_EQUAL(std::string("65536"), options.given.at("round"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OptionsTest);

}  // namespace

}  // namespace wirelay::relaygen
