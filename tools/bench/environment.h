// DPDK for the benchmarks of the data path: huge pages where the machine has them to give, one
// processor, no devices. Tables and packets in small pages measure the TLB as much as the relay.
#pragma once

#include <cstdint>
#include <string>

namespace wirelay::bench {

enum class Pages : uint8_t { kAuto, kHuge, kSmall };

/// "auto", "huge" or "small"; throws std::invalid_argument.
Pages pages_of(const std::string& text);

/// One in the life of a process.
class Environment {
 public:
  /// Starts DPDK with room for `bytes`, and this thread on processor `core`. kAuto and kHuge raise
  /// the kernel's number of huge pages for the time of this object if there are too few; kAuto goes
  /// on without when that fails. Throws std::runtime_error.
  Environment(const char* program, Pages wanted, uint64_t bytes, unsigned core);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] bool huge_pages() const noexcept { return huge_; }
  /// For people and JSON: "huge (2 MiB)" or "small (4 KiB)".
  [[nodiscard]] const char* pages() const noexcept {
    return huge_ ? "huge (2 MiB)" : "small (4 KiB)";
  }

 private:
  bool reserve(uint64_t pages);
  void give_back();

  bool huge_ = false;
  bool raised_ = false;
  uint64_t before_ = 0;  // the kernel's number when it was raised
};

}  // namespace wirelay::bench
