// Protects how DPDK is started and what is made of its talk: only the devices that are configured,
// nothing shared with another relay, and a refusal told in the driver's own words.
#include "ctrl/host/eal.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <rte_log.h>

namespace wirelay::ctrl {

namespace {

Config two_ports() {
  Config config;
  config.control_core = 2;
  config.worker_cores = {1, 3, 3};
  config.ports.resize(2);
  config.ports[0].device = "net_af_packet0,iface=eth1";
  config.ports[1].device = "net_tap1";
  return config;
}

std::string joined(const std::vector<std::string>& args) {
  std::string text;
  for (const std::string& arg : args) text += arg + ' ';
  return text;
}

bool has(const std::vector<std::string>& args, const std::string& text) {
  return joined(args).find(text) != std::string::npos;
}

class EalTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EalTest);
  CPPUNIT_TEST(lcores_and_devices);
  CPPUNIT_TEST(memory);
  CPPUNIT_TEST(explanations);
  CPPUNIT_TEST(standard_error_is_given_back);
  CPPUNIT_TEST_SUITE_END();

 public:
  void lcores_and_devices() {
    Config config = two_ports();
    auto args = eal_arguments(config, true);
    CPPUNIT_ASSERT(has(args, "--lcores 0@2,1@1,2@3,3@3 --main-lcore 0 "));
    CPPUNIT_ASSERT(has(args, "--vdev net_af_packet0,iface=eth1 --vdev net_tap1 "));
    CPPUNIT_ASSERT(has(args, "--no-pci "));
    config.ports[1].device = "3b:00.0";
    args = eal_arguments(config, true);
    CPPUNIT_ASSERT(has(args, "--allow 0000:3b:00.0 "));
    CPPUNIT_ASSERT(!has(args, "--no-pci"));
  }

  void memory() {
    const auto with = eal_arguments(two_ports(), true), without = eal_arguments(two_ports(), false);
    CPPUNIT_ASSERT(has(with, "--in-memory "));
    CPPUNIT_ASSERT(!has(with, "--no-huge"));
    CPPUNIT_ASSERT(has(without, "--no-huge --no-shconf -m "));
    CPPUNIT_ASSERT(!has(without, "--in-memory"));
  }

  void explanations() {
    const std::vector<std::string> lines = {
        "EAL: Selected IOVA mode 'VA'",
        "open_packet_iface(): Could not open AF_PACKET socket",
        "vdev_probe(): failed to initialize net_af_packet0 device",
        "net_tap1: cannot open /dev/net/tun",
        "EAL: Bus (vdev) probe failed.",
        "vdev_probe(): failed to initialize net_null2 device",
    };
    CPPUNIT_ASSERT_EQUAL(std::string("open_packet_iface(): Could not open AF_PACKET socket"),
                         explain(lines, "net_af_packet0"));
    CPPUNIT_ASSERT_EQUAL(std::string("net_tap1: cannot open /dev/net/tun"),
                         explain(lines, "net_tap1"));
    // EAL's own talk explains nothing.
    CPPUNIT_ASSERT_EQUAL(std::string(), explain(lines, "net_null2"));
  }

  void standard_error_is_given_back() {
    struct Fd {
      dev_t device;
      ino_t inode;
      bool operator==(const Fd&) const = default;
    };
    const auto look = [](int fd) {
      struct stat info {};
      fstat(fd, &info);
      return Fd{info.st_dev, info.st_ino};
    };
    const Fd out = look(1), err = look(2);
    {
      EalLog log(false);
      rte_log(RTE_LOG_ERR, RTE_LOGTYPE_EAL, "half a ");
      rte_log(RTE_LOG_ERR, RTE_LOGTYPE_EAL, "line\nanother\n");
      log.started();
      CPPUNIT_ASSERT(out == look(1) && err == look(2));
      CPPUNIT_ASSERT(log.lines() == std::vector<std::string>({"half a line", "another"}));
      rte_log(RTE_LOG_ERR, RTE_LOGTYPE_EAL, "later\n");
      CPPUNIT_ASSERT_EQUAL(size_t{2}, log.lines().size());
    }
    CPPUNIT_ASSERT(out == look(1) && err == look(2));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EalTest);

}  // namespace
}  // namespace wirelay::ctrl
