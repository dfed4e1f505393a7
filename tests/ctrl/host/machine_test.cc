// Protects what is told of a machine that lacks something: cores, devices, rights, huge pages are
// found missing before DPDK starts, and the message says how to provide them.
#include "ctrl/host/machine.h"

#include <tuple>

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include "ctrl/base/device.h"
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
  CPPUNIT_TEST(capabilities);
  CPPUNIT_TEST(memif_sockets_are_private);
  CPPUNIT_TEST(pci_devices);
  CPPUNIT_TEST(huge_pages);
  CPPUNIT_TEST(names_of_interfaces);
  CPPUNIT_TEST(memory);
  CPPUNIT_TEST(limit_of_the_control_group);
  CPPUNIT_TEST(limit_of_a_group_of_version_1);
  CPPUNIT_TEST(control_socket);
  CPPUNIT_TEST(groups);
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

  void memif_sockets_are_private() {
    const auto text = [](const char* device) { return parse_device(device).text; };
    CPPUNIT_ASSERT_EQUAL(std::string("net_memif0,role=server,socket=/run/wirelay/net_memif0.sock,"
                                     "socket-abstract=no"),
                         text("net_memif0,role=server"));
    CPPUNIT_ASSERT_EQUAL(std::string("net_memif0,socket=/tmp/m,role=server,socket-abstract=no"),
                         text("net_memif0,socket=/tmp/m,role=server"));
    // As asked.
    const char* abstract = "net_memif0,socket=name,socket-abstract=yes,role=server";
    CPPUNIT_ASSERT_EQUAL(std::string(abstract), text(abstract));
    CPPUNIT_ASSERT(parse_device("net_memif0,socket=/m,role=server").served_socket() == "/m");
    CPPUNIT_ASSERT(!parse_device("net_memif0,socket=/m,role=client").served_socket());
    CPPUNIT_ASSERT(!parse_device("net_memif0,socket=/m").served_socket());
    CPPUNIT_ASSERT(!parse_device(abstract).served_socket());
    // However the name goes on, and by whichever of its names the driver is asked for.
    for (const std::string name : {"net_memif_wan", "net_memif0x", "net_memif"}) {
      CPPUNIT_ASSERT_EQUAL(
          name + ",role=server,socket=/run/wirelay/" + name + ".sock,socket-abstract=no",
          parse_device(name + ",role=server").text);
    }
    CPPUNIT_ASSERT_EQUAL(text("net_memif0,role=server"), text("vdev:net_memif0,role=server"));
    CPPUNIT_ASSERT_EQUAL(std::string("net_af_packet"), parse_device("eth_af_packet0").driver);
    CPPUNIT_ASSERT_EQUAL(std::string("net_null"), parse_device("net_null12").driver);
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
  }

  /// Bits of <linux/capability.h>.
  void capabilities() {
    const std::vector<std::tuple<const char*, uint64_t, std::string>> cases = {
        {"net_af_packet0,iface=lo", 1 << 12, "net_af_packet needs CAP_NET_RAW, "},
        {"net_af_packet0,iface=lo", 1 << 13, "net_af_packet needs CAP_NET_ADMIN, "},
        {"net_af_packet0,iface=lo", 0, "net_af_packet needs CAP_NET_RAW and CAP_NET_ADMIN, "},
        {"net_af_packet0,iface=lo", 3 << 12, ""},
        {"net_af_xdp0,iface=lo", 3 << 12, "net_af_xdp needs CAP_BPF, "},
        {"net_af_xdp0,iface=lo", 3 << 12 | 1 << 21, ""},  // CAP_SYS_ADMIN holds CAP_BPF
        {"net_af_xdp0,iface=lo", uint64_t{1} << 39 | 3 << 12, ""},
        {"net_tap0", 0, "net_tap needs CAP_NET_ADMIN, "},
        {"net_tap0", 1 << 12, ""},
        {"net_memif0,role=server", 0, ""},
        {"net_ring0", 0, ""},
    };
    for (const auto& [device, held, told] : cases) {
      char text[17];
      std::snprintf(text, sizeof text, "%016lx", static_cast<unsigned long>(held));
      status(text, "0-3");
      const std::string expected = told.empty() ? "" : "ports[0].device: " + told;
      const std::string found = lacks(config_with(device));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(device, expected, found.substr(0, expected.size()));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(device + found, told.empty(), found.empty());
    }
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
    CPPUNIT_ASSERT(bound.find("relayctl setup nic --bind") != std::string::npos);
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
    root_.write("proc/self/mountinfo", kMounts2);
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
    // Or it sees a part of the tree.
    limit("", "max");
    root_.write("proc/self/mountinfo",
                "30 1 0:27 /box /sys/fs/cgroup rw shared:9 - cgroup2 c rw\n");
    root_.write("proc/self/cgroup", "0::/box/relay\n");
    limit("relay/", "4096");
    CPPUNIT_ASSERT(lacks(config).find("MemoryMax=") != std::string::npos);
    root_.write("proc/self/cgroup", "0::/elsewhere/relay\n");
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    limit("", "4096");
    CPPUNIT_ASSERT(lacks(config).find("MemoryMax=") != std::string::npos);
    // When the machine has less than the group may take, that is what is told.
    root_.write("proc/meminfo", "MemTotal:  99999999 kB\nMemAvailable:  3 kB\n");
    CPPUNIT_ASSERT(lacks(config).find("are available") != std::string::npos);
  }

  /// As on older systems, and beside version 2.
  void limit_of_a_group_of_version_1() {
    const Config config = config_with("net_null0");
    root_.write("proc/meminfo", "MemTotal:  99999999 kB\nMemAvailable:  9999999 kB\n");
    root_.write("proc/self/cgroup", "5:cpu,cpuacct:/box\n4:memory:/box/relay\n0::/box\n");
    root_.write("proc/self/mountinfo",
                "31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                "32 30 0:29 / /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory\n"
                "33 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    const auto limit = [&](const std::string& file, const std::string& bytes) {
      root_.write("sys/fs/cgroup/" + file, bytes + "\n");
    };
    limit("cpu/box/memory.limit_in_bytes", "4096");  // not where memory is bounded
    limit("memory/memory.limit_in_bytes", "9223372036854771712");
    limit("memory/box/relay/memory.limit_in_bytes", "9223372036854771712");
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    limit("memory/box/memory.limit_in_bytes", "4096");
    CPPUNIT_ASSERT_MESSAGE(
        lacks(config), lacks(config).find("the limit of the control group") != std::string::npos);
    limit("memory/box/memory.limit_in_bytes", "9223372036854771712");
    limit("unified/box/memory.max", "4096");
    CPPUNIT_ASSERT(lacks(config).find("MemoryMax=") != std::string::npos);
  }

  void groups() {
    Config config = config_with("net_null0");
    config.control_socket_group = "root";
    config.control_read_group = "4711";
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    config.control_read_group = "4294967295";
    CPPUNIT_ASSERT(lacks(config).find("there is no group \"4294967295\"") != std::string::npos);
    config.control_read_group = "no-such-group";
    CPPUNIT_ASSERT_EQUAL(
        std::string("control_read_group: there is no group \"no-such-group\" here; \"groupadd "
                    "--system no-such-group\" makes it\n"),
        lacks(config));
  }

  void control_socket() {
    Config config = config_with("net_null0");
    config.control_socket = "/run/wirelay/deep/relayd.sock";
    CPPUNIT_ASSERT_EQUAL(std::string(), lacks(config));
    root_.write("run/wirelay/relayd.sock", "");
    config.control_socket = "/run/wirelay/relayd.sock/below.sock";
    CPPUNIT_ASSERT_EQUAL(std::string("control_socket: cannot be made: /run/wirelay/relayd.sock is "
                                     "no directory\n"),
                         lacks(config));
    config.control_socket = "/run/wirelay/relayd.sock";
    CPPUNIT_ASSERT(
        lacks(config).starts_with("control_socket: /run/wirelay/relayd.sock is there, "
                                  "and no socket"));
    if (geteuid() == 0) return;  // who may write everywhere
    std::filesystem::permissions(
        root_.path("run"), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    config.control_socket = "/run/other/relayd.sock";
    CPPUNIT_ASSERT(lacks(config).find("may not write to /run") != std::string::npos);
    std::filesystem::permissions(root_.path("run"), std::filesystem::perms::owner_all);
  }

 private:
  static constexpr const char* kMounts2 =
      "22 1 0:20 / /proc rw - proc proc rw\n"
      "30 1 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

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
