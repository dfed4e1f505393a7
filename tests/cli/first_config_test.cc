// Protects the first configuration that "relayctl setup" makes: relayd takes it, what was answered
// is in it, and what is no network is refused.
#include "cli/first_config.h"

#include <filesystem>

#include <cppunit/extensions/HelperMacros.h>

#include "cli/errors.h"
#include "ctrl/config/config.h"
#include "tests/support/temp_dir.h"

namespace wirelay::cli {

namespace {

class FirstConfigTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FirstConfigTest);
  CPPUNIT_TEST(relayd_takes_it);
  CPPUNIT_TEST(first_hosts);
  CPPUNIT_TEST(what_is_no_network);
  CPPUNIT_TEST(routes_of_the_kernel);
  CPPUNIT_TEST_SUITE_END();

 public:
  void relayd_takes_it() {
    test::TempDir dir;
    std::filesystem::permissions(
        dir.write("private.key", "mAoyfKJZXHGyRcCzjPrJMYQbjqcYaG1Et0jLYpOTXlc=\n"),
        std::filesystem::perms::owner_read);
    const std::string file = dir.write(
        "relayd.json", first_config_text({.interface = "eth0",
                                          .addresses = {"198.51.100.7/24", "2001:db8::7/64"},
                                          .gateways = {"198.51.100.1"},
                                          .endpoint = "vpn.example.net:443",
                                          .tunnel = {"10.77.0.0/16", "fd77::/64"},
                                          .dns = {"9.9.9.9"},
                                          .udp_port = "443",
                                          .cores = 2}));
    const ctrl::Config config = ctrl::load_config(file);
    CPPUNIT_ASSERT_EQUAL(std::string("net_af_packet0,iface=eth0"), config.ports.at(0).device);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, config.ports[0].addresses.size());
    CPPUNIT_ASSERT(config.ports[0].egress);
    CPPUNIT_ASSERT_EQUAL(uint16_t{443}, config.udp_ports.at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("vpn.example.net:443"), config.public_endpoint.value());
    CPPUNIT_ASSERT_EQUAL(std::string("fd77::1"), to_string(config.tunnel_addresses.at(1)));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, config.address_pools.size());
    CPPUNIT_ASSERT(config.nat44.has_value());
    CPPUNIT_ASSERT_EQUAL(1u, config.worker_cores.at(0));
    CPPUNIT_ASSERT_EQUAL(std::string(), config.warnings.empty() ? "" : config.warnings.front());
  }

  void first_hosts() {
    CPPUNIT_ASSERT_EQUAL(std::string("10.77.0.1"), host_of("10.77.0.0/16", 1, "--tunnel"));
    CPPUNIT_ASSERT_EQUAL(std::string("fd77::1"), host_of("fd77::/64", 1, "--tunnel"));
  }

  void what_is_no_network() {
    for (const char* text : {"", "10.77.0.0", "10.77.0.0/", "10.77.0.0/x", "10.77.0.0/25",
                             "10.77/16", "fd77::/121", "fd77::/9999999999", "vpn.example.net/16"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(text, host_of(text, 1, "--tunnel"), UsageError);
    }
  }

  void routes_of_the_kernel() {
    const std::string head =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
    const std::string net = "eth1\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
    const std::string all = "eth0\t00000000\t016433C6\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
    CPPUNIT_ASSERT_EQUAL(std::string(), default_route("").interface);
    CPPUNIT_ASSERT_EQUAL(std::string(), default_route(head + net).interface);
    const std::string point = "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n";
    const std::string far = "eth2\t00000000\t0164A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    CPPUNIT_ASSERT_EQUAL(std::string(), default_route(head + point).interface);
    CPPUNIT_ASSERT_EQUAL(std::string("eth0"), default_route(head + far + point + all).interface);
    CPPUNIT_ASSERT_EQUAL(std::string("eth0"), default_route(head + net + all).interface);
    CPPUNIT_ASSERT_EQUAL(std::string("198.51.100.1"), default_route(head + net + all).gateway);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FirstConfigTest);

}  // namespace
}  // namespace wirelay::cli
