// Starting DPDK quietly.
#include "tools/relaygen/eal.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <rte_config.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>

#include "ctrl/base/memif_sockets.h"
#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kSlack = 96 * kMiB;  // what DPDK needs beside the packet pools

/// Keeps what DPDK says while it starts, and what its drivers print; standard output and error are
/// themselves again when this goes.
class Silence {
 public:
  Silence() : file_(std::tmpfile()) {
    if (file_ == nullptr) throw Failure("cannot make a temporary file");
    rte_openlog_stream(file_);
    std::fflush(nullptr);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      saved_[fd - 1] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
      dup2(fileno(file_), fd);
    }
  }
  ~Silence() {
    std::fflush(nullptr);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      dup2(saved_[fd - 1], fd);
      close(saved_[fd - 1]);
    }
    rte_openlog_stream(nullptr);
    std::fclose(file_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

  /// The last lines, in one.
  [[nodiscard]] std::string last_words() const {
    constexpr long kEnough = 400;
    std::fflush(nullptr);
    std::fseek(file_, 0, SEEK_END);
    const long end = std::ftell(file_);
    std::fseek(file_, end > kEnough ? end - kEnough : 0, SEEK_SET);
    char text[kEnough];
    std::string said(text, std::fread(text, 1, sizeof text, file_));
    if (end > kEnough) said.erase(0, said.find('\n') + 1);
    while (!said.empty() && said.back() == '\n') said.pop_back();
    for (size_t at = 0; (at = said.find('\n', at)) != std::string::npos;) said.replace(at, 1, "; ");
    return said;
  }

 private:
  std::FILE* file_;
  int saved_[2] = {-1, -1};
};

bool enough_huge_pages(uint64_t bytes) {
  std::ifstream in("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
  uint64_t free = 0;
  in >> free;
  return free * 2 * kMiB >= bytes;
}

std::vector<std::string> eal_arguments(const EalOptions& options,
                                       const std::vector<ctrl::Device>& devices, uint64_t bytes,
                                       bool huge_pages) {
  std::vector<std::string> args = {"relaygen",
                                   "--lcores",
                                   "0@" + std::to_string(options.core),
                                   "--file-prefix",
                                   "relaygen",
                                   "--no-telemetry",
                                   "-m",
                                   std::to_string(bytes / kMiB + 1)};
  // Neither way leaves files that others of this prefix could meet.
  const auto add = [&args](std::initializer_list<std::string> more) {
    args.insert(args.end(), more);
  };
  if (huge_pages)
    add({"--in-memory"});
  else
    add({"--no-huge", "--no-shconf"});
  bool hardware = false;
  for (const ctrl::Device& device : devices) {
    const bool is_virtual = device.bus == ctrl::Device::Bus::kVirtual;
    add({is_virtual ? "--vdev" : "--allow", device.text});
    hardware = hardware || !is_virtual;
  }
  if (!hardware) add({"--no-pci", "--iova-mode", "va"});
  return args;
}

}  // namespace

Eal::Eal(const EalOptions& options, const std::vector<std::string>& texts, uint64_t bytes) {
  std::vector<ctrl::Device> devices;
  for (const std::string& text : texts) devices.push_back(ctrl::parse_device(text));
  using HugePages = EalOptions::HugePages;
  bytes += kSlack;
  huge_pages_ = options.huge_pages == HugePages::kYes ||
                (options.huge_pages == HugePages::kAuto && enough_huge_pages(bytes));
  std::vector<std::string> args = eal_arguments(options, devices, bytes, huge_pages_);
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const ctrl::MemifSockets sockets(devices);
  const auto start = [&] { return rte_eal_init(static_cast<int>(args.size()), argv.data()); };
  if (options.verbose) {
    if (start() < 0) throw Failure(std::string("DPDK does not start: ") + rte_strerror(rte_errno));
    return;
  }
  std::string why;
  {
    const Silence silence;
    if (start() >= 0) return;
    why = std::string(rte_strerror(rte_errno)) + " (" + silence.last_words() + ")";
  }
  throw Failure("DPDK does not start: " + why + "; --verbose shows all it says");
}

Eal::~Eal() { rte_eal_cleanup(); }

uint16_t Eal::port_of(const std::string& device) {
  const std::string name = ctrl::parse_device(device).name;
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
  RTE_ETH_FOREACH_DEV(id) {
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(id, &info) == 0 && info.device != nullptr &&
        name == rte_dev_name(info.device)) {
      return id;
    }
  }
  throw Failure("no DPDK driver took " + device + "; --verbose shows why" +
                (geteuid() == 0 ? "" : " (most devices need root)"));
}

}  // namespace wirelay::relaygen
