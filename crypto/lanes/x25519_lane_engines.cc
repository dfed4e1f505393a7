// The lane-parallel X25519 engines: bursts cut into groups of lanes, whatever the instructions.
#include <sodium.h>

#include "crypto/keys.h"
#include "crypto/lanes/cpu.h"
#include "crypto/lanes/x25519_kernel.h"
#include "crypto/x25519_engines.h"

namespace wirelay::crypto {

namespace {

/// Fewer than kFewest in a group go to libsodium, which is faster then: docs/handshakes.md.
struct IfmaKernel {
  static constexpr std::string_view kName = "avx512-ifma";
  static constexpr int kLanes = 8;
  static constexpr int kFewest = 1;
  static constexpr auto kMultiply = lanes::x25519_ifma;
};

struct Avx2Kernel {
  static constexpr std::string_view kName = "avx2";
  static constexpr int kLanes = 4;
  static constexpr int kFewest = 3;
  static constexpr auto kMultiply = lanes::x25519_avx2;
};

/// Groups of a call of the kernel, filled lane by lane.
template <class Kernel>
class Groups {
 public:
  explicit Groups(const X25519Engine& few) noexcept : few_(few) {}
  ~Groups() { wipe(unused_, sizeof unused_); }

  void add(const X25519Job& job) noexcept {
    auto& group = groups_[full_];
    group.scalar[lane_] = job.scalar;
    group.point[lane_] = job.point;
    group.out[lane_] = job.out;
    if (++lane_ == Kernel::kLanes) finish_group();
  }

  /// Nothing else goes into the group that was begun: its other lanes compute what the first does.
  void end_group() noexcept {
    if (lane_ == 0) return;
    auto& group = groups_[full_];
    if (lane_ < Kernel::kFewest) {
      for (int i = 0; i < lane_; ++i) {
        X25519Job job{group.scalar[i], group.point[i], group.out[i], false};
        few_.multiply_burst({&job, 1});
      }
      lane_ = 0;
      return;
    }
    for (; lane_ < Kernel::kLanes; ++lane_) {
      group.scalar[lane_] = group.scalar[0];
      group.point[lane_] = group.point[0];
      group.out[lane_] = unused_;
    }
    finish_group();
  }

  void multiply() noexcept {
    if (full_ > 0) Kernel::kMultiply(groups_, full_);
    full_ = 0;
  }

 private:
  void finish_group() noexcept {
    lane_ = 0;
    if (++full_ == lanes::kX25519Groups) multiply();
  }

  const X25519Engine& few_;
  lanes::X25519Group<Kernel::kLanes> groups_[lanes::kX25519Groups];
  uint8_t unused_[32];
  size_t full_ = 0;
  int lane_ = 0;  // the next of groups_[full_]
};

template <class Kernel>
class X25519LaneEngine final : public X25519Engine {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return Kernel::kName; }

  void multiply_burst(std::span<X25519Job> jobs) const noexcept override {
    Groups<Kernel> groups(*few_);
    for (const bool base : {false, true}) {
      for (const X25519Job& job : jobs) {
        if ((job.point == nullptr) == base) groups.add(job);
      }
      groups.end_group();
    }
    groups.multiply();
    for (X25519Job& job : jobs) job.usable = sodium_is_zero(job.out, 32) == 0;
  }

 private:
  std::unique_ptr<X25519Engine> few_ = make_sodium_x25519_engine();
};

}  // namespace

EngineSupport ifma_x25519_support() {
  if (!lanes::cpu_has_avx512_ifma()) {
    return {false, "this CPU or its operating system lacks AVX-512 with IFMA and VBMI2"};
  }
  return {true, "AVX-512 IFMA, 8 multiplications at once"};
}

std::unique_ptr<X25519Engine> make_ifma_x25519_engine() {
  return std::make_unique<X25519LaneEngine<IfmaKernel>>();
}

EngineSupport avx2_x25519_support() {
  if (!lanes::cpu_has_avx2()) return {false, "this CPU or its operating system lacks AVX2"};
  return {true, "AVX2, 4 multiplications at once"};
}

std::unique_ptr<X25519Engine> make_avx2_x25519_engine() {
  return std::make_unique<X25519LaneEngine<Avx2Kernel>>();
}

}  // namespace wirelay::crypto
