// What a configuration needs of the machine it is to run on, looked up before anything starts: so
// that what is missing is told in one line with the way to provide it, not in EAL's words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/base/device.h"
#include "ctrl/config/config.h"

namespace wirelay::ctrl {

inline constexpr uint64_t kMiB = uint64_t{1} << 20;

/// A machine and this process on it, as the kernel's files tell. Tests point `root` at files of
/// their own.
class Machine {
 public:
  explicit Machine(std::string root = "") : root_(std::move(root)) {}

  /// What of `config` this machine lacks: cores, devices, rights, a place for the control socket,
  /// memory. Paths as in the configuration file.
  [[nodiscard]] std::vector<Problem> lacks(const Config& config) const;

  /// Whether the relay runs on huge pages here: asked for, and enough of one size are free.
  [[nodiscard]] bool huge_pages(const Config& config) const;

  struct Capability {
    unsigned number;
    std::string_view name;
    unsigned wider;  // an older one that holds this, or itself
  };

 private:
  [[nodiscard]] std::string read(const std::string& path) const;
  [[nodiscard]] bool online(unsigned core) const;
  [[nodiscard]] bool permitted(unsigned core) const;
  [[nodiscard]] bool capable(unsigned capability) const;
  [[nodiscard]] uint64_t free_huge_bytes() const;
  /// Memory that can be had without swapping; as much as there could be when it is not known.
  [[nodiscard]] uint64_t available_bytes() const;
  void check_memory(const Config& config, std::vector<Problem>& problems) const;

  void check_core(unsigned core, const std::string& path, std::vector<Problem>& problems) const;
  void check_device(const Device& device, const std::string& path,
                    std::vector<Problem>& problems) const;
  void check_capabilities(const Device& device, std::span<const Capability> capabilities,
                          const std::string& path, std::vector<Problem>& problems) const;
  void check_control_socket(const std::string& path, std::vector<Problem>& problems) const;
  static void check_group(const char* field, const std::string& group,
                          std::vector<Problem>& problems);
  void check_pci(const Device& device, const std::string& path,
                 std::vector<Problem>& problems) const;
  std::string root_;
};

inline constexpr uint64_t kSmallPage = 4096, kHugePage = uint64_t{2} << 20;

/// DPDK memory that a relay of this configuration takes on pages of this size: packet buffers,
/// rings, drivers' own. Tables are not in it: they take other memory, and only as they are used.
uint64_t dpdk_bytes(const Config& config, uint64_t page_bytes);

}  // namespace wirelay::ctrl
