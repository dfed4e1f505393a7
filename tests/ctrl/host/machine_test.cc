// Protects what is told of a machine that lacks something: cores, devices, rights, huge pages are
// found missing before DPDK starts, and the message says how to provide them.
#include "ctrl/host/machine.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/host/device.h"
#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

namespace {

Config config_with(const std::string& device) {
  Config config;
  config.worker_cores = {1};
  config.sizes.mbufs = 4096;
  PortConfig port;
  port.name = "wan";
  port.device = device;
  config.ports = {port};
  return config;
}

class MachineTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MachineTest);
  CPPUNIT_TEST(devices_by_their_text);
  CPPUNIT_TEST(nothing_lacks);
  CPPUNIT_TEST(cores);
  CPPUNIT_TEST(interfaces_and_rights);
  CPPUNIT_TEST(pci_devices);
  CPPUNIT_TEST(huge_pages);
  CPPUNIT_TEST(names_of_interfaces);
  CPPUNIT_TEST(memory);
  CPPUNIT_TEST(limit_of_the_control_group);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    root_.write("sys/devices/system/cpu/online", "0-3,8\n");
    status("0000003fffffffff", "0-2,8");
  }

  void devices_by_their_text() {
    Device device = parse_device("3B:00.0,arg=1");
    CPPUNIT_ASSERT(device.bus == Device::Bus::kPci);
    CPPUNIT_ASSERT_EQUAL(std::string("0000:3b:00.0"), device.name);
    CPPUNIT_ASSERT_EQUAL(std::string("0000:3b:00.0,arg=1"), device.text);
    device = parse_device("net_af_packet12,iface=eth1,blocksz=4096");
    CPPUNIT_ASSERT(device.bus == Device::Bus::kVirtual);
    CPPUNIT_ASSERT_EQUAL(std::string("net_af_packet12"), device.name);
    CPPUNIT_ASSERT_EQUAL(std::string("net_af_packet"), device.driver);
    CPPUNIT_ASSERT(device.argument("iface") == "eth1");
    CPPUNIT_ASSERT(device.argument("blocksz") == "4096");
    CPPUNIT_ASSERT(!device.argument("face"));
    device = parse_device("auxiliary:mlx5_core.sf.4,arg=1");
    CPPUNIT_ASSERT(device.bus == Device::Bus::kOther);
    CPPUNIT_ASSERT_EQUAL(std::string("mlx5_core.sf.4"), device.name);
  }

  void nothing_lacks() {
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config_with("net_af_packet0,iface=lo")));
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config_with("net_null0")));
  }

  void cores() {
    Config config = config_with("net_null0");
    config.worker_cores = {8, 9, 3};
    CPPUNIT_ASSERT_EQUAL(
        std::string("workers.cores[1]: this machine has no core 9; online are 0-3,8\n"
                    "workers.cores[2]: this process may not run on core 3, only on 0-2,8; see "
                    "taskset, or AllowedCPUs= of its service\n"),
        lacks(config));
    config.worker_cores = {0};
    config.control_core = 7;
    CPPUNIT_ASSERT(lacks(config).starts_with("workers.control_core: this machine has no core 7"));
  }

  void interfaces_and_rights() {
    CPPUNIT_ASSERT(lacks(config_with("net_af_packet0,iface=no-such-if"))
                       .starts_with("ports[0].device: there is no interface \"no-such-if\""));
    CPPUNIT_ASSERT(lacks(config_with("net_af_packet0"))
                       .starts_with("ports[0].device: net_af_packet needs an interface"));
    status("0000000000001000", "0-3");  // CAP_NET_ADMIN alone
    CPPUNIT_ASSERT(lacks(config_with("net_af_packet0,iface=lo")).find("CAP_NET_RAW") !=
                   std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config_with("net_tap0")));
    status("0000000000000000", "0-3");
    CPPUNIT_ASSERT(lacks(config_with("net_tap0")).find("CAP_NET_ADMIN") != std::string::npos);
  }

  void names_of_interfaces() {
    for (const std::string name :
         {"../../x", "a/b", "a:b", ".", "..", "", "sixteen-letters-", "remote-and-long-name"}) {
      for (const std::string key : {"iface", "remote"}) {
        const std::string told = lacks(config_with("net_tap0," + key + "=" + name));
        CPPUNIT_ASSERT_MESSAGE(told,
                               told.starts_with("ports[0].device: found " + key + "=\"" + name +
                                                "\", expected the name of an interface"));
      }
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config_with("net_tap0,iface=wl0-up.7,remote=lo")));
    // Other drivers' arguments may well be files.
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config_with("net_memif0,socket=/run/memif.sock")));
  }

  void pci_devices() {
    const std::string devices = root_.path("sys/bus/pci/devices/");
    CPPUNIT_ASSERT(
        lacks(config_with("0000:3b:00.0"))
            .starts_with("ports[0].device: this machine has no PCI device 0000:3b:00.0"));
    std::filesystem::create_directories(devices + "0000:3b:00.0");
    CPPUNIT_ASSERT(lacks(config_with("3b:00.0")).find("is bound to no driver") !=
                   std::string::npos);
    std::filesystem::create_symlink("../drivers/ixgbe", devices + "0000:3b:00.0/driver");
    const std::string bound = lacks(config_with("0000:3b:00.0"));
    CPPUNIT_ASSERT(bound.find("is bound to ixgbe") != std::string::npos);
    CPPUNIT_ASSERT(bound.find("dpdk-devbind.py --bind=vfio-pci") != std::string::npos);
    std::filesystem::remove(devices + "0000:3b:00.0/driver");
    std::filesystem::create_symlink("../drivers/vfio-pci", devices + "0000:3b:00.0/driver");
    std::filesystem::create_symlink("../groups/17", devices + "0000:3b:00.0/iommu_group");
    CPPUNIT_ASSERT(lacks(config_with("0000:3b:00.0")).find("/dev/vfio/17") != std::string::npos);
    root_.write("dev/vfio/17", "");
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config_with("0000:3b:00.0")));
  }

  void huge_pages() {
    Config config = config_with("net_null0");
    const auto pages = [&](const std::string& free) {
      root_.write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", free);
    };
    const uint64_t needed = (dpdk_bytes(config, kHugePage) + kHugePage - 1) / kHugePage;
    CPPUNIT_ASSERT(!machine().huge_pages(config));
    pages(std::to_string(needed - 1));
    CPPUNIT_ASSERT(!machine().huge_pages(config));
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    config.huge_pages = HugePages::kRequired;
    CPPUNIT_ASSERT(lacks(config).find("sysctl vm.nr_hugepages=" + std::to_string(needed)) !=
                   std::string::npos);
    pages(std::to_string(needed));
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    CPPUNIT_ASSERT(machine().huge_pages(config));
    config.huge_pages = HugePages::kNever;
    CPPUNIT_ASSERT(!machine().huge_pages(config));
  }

  void memory() {
    Config config = config_with("net_null0");
    config.sizes.mbufs = 100'000;
    // A buffer of 2 KiB with its headers does not fit into half a small page, and lies in one page.
    CPPUNIT_ASSERT(dpdk_bytes(config, kSmallPage) > 100'000 * kSmallPage);
    CPPUNIT_ASSERT(dpdk_bytes(config, kHugePage) < dpdk_bytes(config, kSmallPage));
    config.ports[0].mtu = 9000;
    CPPUNIT_ASSERT(dpdk_bytes(config, kSmallPage) > 100'000 * 3 * kSmallPage);
    const uint64_t needed = dpdk_bytes(config, kSmallPage) / 1024;
    const auto available = [&](uint64_t kib) {
      root_.write("proc/meminfo", "MemTotal:  99999999 kB\nMemAvailable:  " + std::to_string(kib) +
                                      " kB\nBuffers: 1 kB\n");
    };
    available(needed + 1);
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    available(needed - 1);
    CPPUNIT_ASSERT(lacks(config).starts_with("sizes.mbufs: 100000 packet buffers"));
  }

  /// systemd's MemoryMax=, of the service or of a slice around it.
  void limit_of_the_control_group() {
    Config config = config_with("net_null0");
    const uint64_t needed = dpdk_bytes(config, kSmallPage);
    root_.write("proc/meminfo", "MemTotal:  99999999 kB\nMemAvailable:  9999999 kB\n");
    root_.write("proc/self/cgroup", "1:cpu:/\n0::/system.slice/wirelay.service\n");
    const auto limit = [&](const std::string& group, const std::string& bytes) {
      root_.write("sys/fs/cgroup/" + group + "memory.max", bytes + "\n");
    };
    limit("system.slice/wirelay.service/", "max");
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    limit("system.slice/wirelay.service/", std::to_string(needed));
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    limit("system.slice/wirelay.service/", std::to_string(needed - 1));
    CPPUNIT_ASSERT_MESSAGE(lacks(config), lacks(config).find("MemoryMax=") != std::string::npos);
    CPPUNIT_ASSERT(lacks(config).starts_with("sizes.mbufs: 4096 packet buffers"));
    limit("system.slice/wirelay.service/", "max");
    limit("system.slice/", "4096");
    CPPUNIT_ASSERT(lacks(config).find("MemoryMax=") != std::string::npos);
    // A container sees its own group as the root of all.
    limit("system.slice/", "max");
    root_.write("proc/self/cgroup", "0::/\n");
    limit("", "4096");
    CPPUNIT_ASSERT(lacks(config).find("MemoryMax=") != std::string::npos);
    // When the machine has less than the group may take, that is what is told.
    root_.write("proc/meminfo", "MemTotal:  99999999 kB\nMemAvailable:  3 kB\n");
    CPPUNIT_ASSERT(lacks(config).find("are available") != std::string::npos);
  }

 private:
  [[nodiscard]] Machine machine() const { return Machine(root_.path("")); }
  [[nodiscard]] std::string lacks(const Config& config) const {
    std::string text;
    for (const Problem& p : machine().lacks(config)) text += p.path + ": " + p.message + '\n';
    return text;
  }
  void status(const std::string& capabilities, const std::string& cores) {
    root_.write("proc/self/status", "Name:\trelayd\nCapEff:\t" + capabilities +
                                        "\nCpus_allowed_list:\t" + cores + "\nThreads:\t1\n");
  }
  test::TempDir root_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MachineTest);

}  // namespace
}  // namespace wirelay::ctrl
