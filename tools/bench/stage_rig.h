// One worker between two ring ports, and passes of packets through it: the timed part of
// bench_stages. All is one thread: no other core takes part.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "dataplane/pipeline.h"
#include "tests/support/data_path.h"
#include "tools/bench/measure.h"
#include "tools/bench/stage_traffic.h"

namespace wirelay::bench {

/// What packets are sent through; one cell of the matrix.
struct Cell {
  Direction direction;
  Mix mix;
  uint32_t sessions;
  uint32_t batch;  // 1 to 64 packets that wait at each poll
  uint32_t mbufs;  // buffers in rotation
};

/// TSC cycles a packet of one round: the mean over its polls, but for those that took more than
/// four times the median, in which the processor was away.
struct Cost {
  /// From the driver's return with the packets to the call that hands them to the driver: all of
  /// the worker but the drivers. The last stage of a batch of 64 fills the transmit buffer, which
  /// is then sent from within: some cycles behind it, for sorting, are not in the figure.
  double whole = 0;
  /// Of each stage in the order of the pipeline, as the worker samples them; 0 for those that no
  /// packet came through. (In batches of 64 "transmit" holds the driver.)
  std::vector<double> stages;
  /// The engine alone on the same buffers in the same order and batches, its keys in the cache.
  double bare = 0;
};

/// What holds for all clients, and is never reached.
struct Policing {
  bool limits = false, quotas = false;
  uint32_t nat_ports = 0;  // of each client, with a mapping each; 0: no NAT
};

class StageRig {
 public:
  /// `clients`: connected ones, of which a cell uses the first. Buffers: the greatest `mbufs` of
  /// all cells.
  StageRig(uint32_t clients, uint32_t mbufs, const std::string& engine, const Policing& policing);
  ~StageRig();
  StageRig(const StageRig&) = delete;
  StageRig& operator=(const StageRig&) = delete;

  /// Sends `packets` or somewhat more. Throws std::runtime_error when one did not come out, and
  /// with `check` when it is not what it should be.
  Cost run(const Cell& cell, uint32_t packets, bool check);

  /// Seconds that making a mapping took.
  [[nodiscard]] double seconds_of_mapping() const noexcept { return seconds_of_mapping_; }

  /// Bytes of packet memory that a rig takes.
  static uint64_t bytes_for(uint32_t mbufs) noexcept;

 private:
  class Stopwatch;
  static constexpr size_t kStages = dataplane::kPipeline.size();
  using StageCycles = std::array<uint32_t, kStages>;
  /// One poll, or one burst of the bare engine, which has no stages.
  struct Sample {
    uint32_t packets = 0, cycles = 0;
    StageCycles stages{};
  };
  void open_ports(uint32_t ports);
  static Cost cost_of(const std::vector<Sample>& samples);
  static double bare_cost_of(const std::vector<Sample>& samples);
  void pass(const Cell& cell, std::span<TestPacket> packets);
  void bare_pass(const Cell& cell, std::span<TestPacket> packets, std::vector<Sample>& samples,
                 bool open);
  void take_out(const Cell& cell, std::span<const TestPacket> sent);
  StageCycles stages_since_last() noexcept;

  std::unique_ptr<test::DataPath> path_;
  double seconds_of_mapping_ = 0;
  std::vector<test::Client> clients_;
  std::unique_ptr<crypto::AeadEngine> engine_;
  std::unique_ptr<Stopwatch> watch_;
  std::unique_ptr<StageTraffic> traffic_;
  std::vector<TestPacket> packets_;
  std::vector<crypto::Bytes32> keys_;             // for the bare engine
  std::array<uint64_t, kStages> stage_cycles_{};  // of the worker, as read last
  std::vector<Sample> polls_, opened_, sealed_;   // of the present round
};

}  // namespace wirelay::bench
