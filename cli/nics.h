// Network cards on the PCI bus, as /sys tells of them, and what is written there to give one to
// DPDK or back to the kernel.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wirelay::cli {

struct Nic {
  std::string address;                  // "0000:3b:00.0"
  std::string id;                       // vendor and device: "8086:1572"
  std::string driver;                   // that has it now; "": none
  std::string iommu_group;              // "": the machine has no IOMMU, or it is switched off
  std::vector<std::string> interfaces;  // of the kernel
  bool default_route = false;           // one of these leads to this machine's gateway
};

/// A driver by which DPDK reaches a card.
bool is_dpdk_driver(const std::string& driver);
/// DPDK works beside this kernel driver: such a card is not bound to another.
bool stays_with_kernel(const std::string& driver);
/// One line: whether a relay can have it, and what is to be done for that.
std::string use_text(const Nic& nic);

/// In the order of their addresses. `root`: "/", or a folder with sys/ and proc/ in it.
std::vector<Nic> read_nics(const std::filesystem::path& root);

/// Text for a file of /sys.
struct SysWrite {
  std::filesystem::path file;
  std::string text;
  bool operator==(const SysWrite&) const = default;
};
/// What gives the card to vfio-pci. Without an IOMMU the kernel is told to let it be used all the
/// same.
std::vector<SysWrite> bind_steps(const std::filesystem::path& root, const Nic& nic);
/// What gives it back to the driver that the kernel has for it.
std::vector<SysWrite> unbind_steps(const std::filesystem::path& root, const Nic& nic);
/// In order; throws Failure with what the kernel does not take.
void carry_out(const std::vector<SysWrite>& steps);

}  // namespace wirelay::cli
