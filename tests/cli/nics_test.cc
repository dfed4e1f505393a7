// Protects "relayctl setup nic": each card of the bus is told with its driver and what can be done
// with it, the one that leads to the gateway is not taken by mistake, and what is written to /sys
// is what --dry-run shows, in that order.
#include "cli/nics.h"

#include <fstream>

#include <cppunit/extensions/HelperMacros.h>

#include "cli/errors.h"
#include "tests/cli/relayctl_fixture.h"
#include "tests/support/temp_dir.h"

namespace wirelay::cli {

namespace {

namespace fs = std::filesystem;

class NicsTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(NicsTest);
  CPPUNIT_TEST(cards_of_the_bus);
  CPPUNIT_TEST(gateways_of_either_family);
  CPPUNIT_TEST(a_card_is_bound);
  CPPUNIT_TEST(without_an_iommu);
  CPPUNIT_TEST(a_card_is_given_back);
  CPPUNIT_TEST(written_as_planned);
  CPPUNIT_TEST(commands);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    RelayctlFixture::setUp();
    add_card(kFirst, "ixgbe", "eth0", "12");
    add_card(kSecond, "ixgbe", "eth1", "13");
    add_card(kBound, "vfio-pci", "", "14");
    add_card(kOpen, "e1000", "eth2", "");
    add_card(kShared, "mlx5_core", "eth3", "15");
    write(device("0000:00:1f.0") / "class", "0x060100\n");  // a bridge of the bus
    write(root() / "proc/net/route",
          "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
          "eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\n");
  }

  void cards_of_the_bus() {
    const std::vector<Nic> nics = read_nics(root());
    CPPUNIT_ASSERT_EQUAL(size_t{5}, nics.size());
    CPPUNIT_ASSERT_EQUAL(std::string(kFirst), nics[0].address);
    CPPUNIT_ASSERT_EQUAL(std::string("8086:1572"), nics[0].id);
    CPPUNIT_ASSERT_EQUAL(std::string("ixgbe"), nics[0].driver);
    CPPUNIT_ASSERT_EQUAL(std::string("12"), nics[0].iommu_group);
    CPPUNIT_ASSERT_EQUAL(std::string("eth0"), nics[0].interfaces.at(0));
    CPPUNIT_ASSERT(nics[0].default_route && !nics[1].default_route);
    has(use_text(nics[0]), "--force");
    has(use_text(nics[1]), "--bind");
    has(use_text(card(kBound)), "ready, as \"device\": \"0000:05:00.0\"");
    has(use_text(card(kOpen)), "without an IOMMU");
    has(use_text(card(kShared)), "kernel driver");
    CPPUNIT_ASSERT(read_nics(root() / "nothing").empty());
  }

  void gateways_of_either_family() {
    const std::string zeros(32, '0');
    write(root() / "proc/net/ipv6_route",
          zeros + " 00 " + zeros + " 00 fe800000000000000000000000000001 400 1 0 3 br0\n" + zeros +
              " 00 " + zeros + " 00 " + zeros + " ffffffff 1 0 200200 lo\n");
    CPPUNIT_ASSERT(!card(kSecond).default_route);
    fs::create_directories(root() / "sys/class/net/eth1");
    fs::create_symlink("../br0", root() / "sys/class/net/eth1/master");
    CPPUNIT_ASSERT(card(kSecond).default_route);
  }

  void a_card_is_bound() {
    const std::vector<SysWrite> steps = bind_steps(root(), card(kSecond));
    const std::vector<SysWrite> wanted = {{device(kSecond) / "driver_override", "vfio-pci"},
                                          {root() / "sys/bus/pci/drivers/ixgbe/unbind", kSecond},
                                          {root() / "sys/bus/pci/drivers_probe", kSecond}};
    CPPUNIT_ASSERT(wanted == steps);
  }

  void without_an_iommu() {
    const std::vector<SysWrite> steps = bind_steps(root(), card(kOpen));
    CPPUNIT_ASSERT_EQUAL(size_t{4}, steps.size());
    CPPUNIT_ASSERT_EQUAL(std::string("enable_unsafe_noiommu_mode"),
                         steps[0].file.filename().string());
  }

  void a_card_is_given_back() {
    const std::vector<SysWrite> steps = unbind_steps(root(), card(kBound));
    const std::vector<SysWrite> wanted = {{device(kBound) / "driver_override", "\n"},
                                          {root() / "sys/bus/pci/drivers/vfio-pci/unbind", kBound},
                                          {root() / "sys/bus/pci/drivers_probe", kBound}};
    CPPUNIT_ASSERT(wanted == steps);
  }

  void written_as_planned() {
    const fs::path file = root() / "sys/there";
    write(file, "");
    carry_out({{file, "vfio-pci"}});
    CPPUNIT_ASSERT_EQUAL(std::string("vfio-pci"), test::text_of(file.string()));
    CPPUNIT_ASSERT_THROW(carry_out({{root() / "sys/missing", "1"}}), Failure);
    CPPUNIT_ASSERT(!fs::exists(root() / "sys/missing"));
  }

  void commands() {
    done("setup nic" + at());
    has(out_, kOpen);
    done("setup nic --json" + at());
    has(out_, "\"default_route\"");
    done(std::string("setup nic --bind --dry-run 03:00.0") + at());
    has(out_, "echo vfio-pci > ");
    has(out_, std::string("echo ") + kSecond + " > ");
    has_not(err_, "WARNING");
    done(std::string("setup nic --bind --dry-run ") + kOpen + at());
    has(err_, "WARNING");
    done(std::string("setup nic --unbind --dry-run ") + kBound + at());
    has(out_, "/driver_override\n");
    refused(1, std::string("--bind --dry-run ") + kFirst, "--force");
    refused(1, std::string("--bind --dry-run ") + kShared, "nothing is to be done");
    refused(1, "--bind 0000:99:00.0", "no network card has this address");
    refused(2, "--bind", "which card");
    refused(2, kFirst, "--bind or --unbind");
    refused(2, std::string("--bind --unbind ") + kFirst, "only one");
    done(std::string("setup nic --bind --dry-run --force ") + kFirst + at());
  }

 private:
  static constexpr const char *kFirst = "0000:02:00.0", *kSecond = "0000:03:00.0",
                              *kOpen = "0000:04:00.0", *kBound = "0000:05:00.0",
                              *kShared = "0000:06:00.0";

  [[nodiscard]] fs::path root() const { return dir_.path("root"); }
  [[nodiscard]] std::string at() const { return " --root " + root().string(); }
  [[nodiscard]] fs::path device(const std::string& address) const {
    return root() / "sys/bus/pci/devices" / address;
  }
  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void add_card(const std::string& address, const std::string& driver, const std::string& interface,
                const std::string& group) {
    const fs::path folder = device(address);
    write(folder / "class", "0x020000\n");
    write(folder / "vendor", "0x8086\n");
    write(folder / "device", "0x1572\n");
    fs::create_directories(root() / "sys/bus/pci/drivers" / driver);
    fs::create_symlink("../../drivers/" + driver, folder / "driver");
    if (!group.empty()) fs::create_symlink("../../iommu_groups/" + group, folder / "iommu_group");
    if (!interface.empty()) fs::create_directories(folder / "net" / interface);
  }
  [[nodiscard]] Nic card(const std::string& address) const {
    for (const Nic& nic : read_nics(root())) {
      if (nic.address == address) return nic;
    }
    CPPUNIT_FAIL(address);
    return {};
  }
  void refused(int code, const std::string& line, const std::string& why) {
    CPPUNIT_ASSERT_EQUAL(code, relayctl("setup nic " + line + at()));
    has(err_, why);
  }

  test::TempDir dir_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(NicsTest);

}  // namespace

}  // namespace wirelay::cli
