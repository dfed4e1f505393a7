// Protects interfaces that are the kernel's: which device sends by which, an MTU that is taken from
// there, and frames of af_packet that hold it.
#include "ctrl/host/interface.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/host/frames.h"

namespace wirelay::ctrl {

namespace {

class InterfaceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(InterfaceTest);
  CPPUNIT_TEST(of_devices);
  CPPUNIT_TEST(mtu_of_the_interface);
  CPPUNIT_TEST(an_mtu_that_the_interface_lacks);
  CPPUNIT_TEST(frames_for_an_mtu);
  CPPUNIT_TEST(frames_that_do_not_do);
  CPPUNIT_TEST_SUITE_END();

 public:
  void of_devices() {
    const auto of = [](const char* text) { return interface_of(parse_device(text)).value_or("-"); };
    CPPUNIT_ASSERT_EQUAL(std::string("eth1"), of("net_af_packet0,iface=eth1"));
    CPPUNIT_ASSERT_EQUAL(std::string("eth1"), of("eth_af_packet0,iface=eth1"));
    CPPUNIT_ASSERT_EQUAL(std::string("eth1"), of("net_af_xdp0,iface=eth1"));
    // A tap is relayd's own; what it is tied to is not.
    CPPUNIT_ASSERT_EQUAL(std::string("-"), of("net_tap0,iface=wl0"));
    CPPUNIT_ASSERT_EQUAL(std::string("eth1"), of("net_tap0,iface=wl0,remote=eth1"));
    CPPUNIT_ASSERT_EQUAL(std::string("-"), of("net_memif0,role=server"));
    CPPUNIT_ASSERT_EQUAL(std::string("-"), of("ffff:1f:00.0"));
  }

  void mtu_of_the_interface() {
    CPPUNIT_ASSERT(interface_mtu("lo").value() >= 1500);
    CPPUNIT_ASSERT(!interface_mtu("nowhere0"));
    PortConfig port;
    port.device = "net_af_packet0,iface=lo";
    CPPUNIT_ASSERT_EQUAL(std::min<uint32_t>(*interface_mtu("lo"), kLargestMtu),
                         uint32_t{mtu_of(port)});
    port.mtu = 1400;
    CPPUNIT_ASSERT_EQUAL(uint16_t{1400}, mtu_of(port));
    port = {};
    port.device = "net_memif0";
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, mtu_of(port));
    port.device = "net_af_packet0,iface=nowhere0";
    CPPUNIT_ASSERT_EQUAL(uint16_t{1500}, mtu_of(port));
  }

  void an_mtu_that_the_interface_lacks() {
    const auto problems = [](const char* device, std::optional<uint16_t> mtu) {
      PortConfig port;
      port.device = device;
      port.mtu = mtu;
      std::vector<Problem> found;
      check_mtu(port, "ports[0]", found);
      return found.empty() ? "" : found.front().path;
    };
    CPPUNIT_ASSERT_EQUAL(std::string(), problems("net_af_packet0,iface=lo", 9000));
    CPPUNIT_ASSERT_EQUAL(std::string(), problems("net_af_packet0,iface=lo", std::nullopt));
    CPPUNIT_ASSERT_EQUAL(std::string(), problems("net_memif0", 9000));
    CPPUNIT_ASSERT_EQUAL(std::string("ports[0].device"),
                         problems("net_af_packet0,iface=lo,framesz=2048", 9000));
  }

  void frames_for_an_mtu() {
    const auto text = [](const char* device, uint16_t mtu) {
      return with_frames(parse_device(device), mtu).text;
    };
    CPPUNIT_ASSERT_EQUAL(std::string("net_af_packet0,iface=a"),
                         text("net_af_packet0,iface=a", 1500));
    CPPUNIT_ASSERT_EQUAL(std::string("net_af_packet0,iface=a,framesz=9216,blocksz=36864"),
                         text("net_af_packet0,iface=a", 9000));
    CPPUNIT_ASSERT_EQUAL(std::string("net_af_packet0,framesz=16384"),
                         text("net_af_packet0,framesz=16384", 9000));
    CPPUNIT_ASSERT_EQUAL(std::string("net_tap0"), text("net_tap0", 9000));
  }

  void frames_that_do_not_do() {
    const auto wrong = [](const char* device, uint16_t mtu) {
      return wrong_frames(parse_device(device), mtu).value_or("");
    };
    CPPUNIT_ASSERT_EQUAL(std::string(), wrong("net_af_packet0,framesz=2048,blocksz=4096", 1500));
    CPPUNIT_ASSERT_EQUAL(std::string(), wrong("net_af_packet0,framesz=9216,blocksz=36864", 9000));
    CPPUNIT_ASSERT_EQUAL(
        std::string("found frames of 2048 bytes, expected 9084 to 9248 for an MTU of 9000, such as "
                    "\"framesz=9216,blocksz=36864\""),
        wrong("net_af_packet0,blocksz=4096", 9000));
    // A packet of the kernel's has to fit into a buffer.
    CPPUNIT_ASSERT(wrong("net_af_packet0,framesz=4096", 1500).starts_with("found frames of 4096"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(InterfaceTest);

}  // namespace

}  // namespace wirelay::ctrl
