// A worker: one poll-mode lcore that moves packets from its receive queues through the pipeline.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/aead.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/punt_allowance.h"
#include "dataplane/reassembler.h"
#include "dataplane/tables/nat_flows.h"

namespace wirelay::dataplane {

enum class Polling : uint8_t {
  kBusy,      // never sleeps
  kAdaptive,  // sleeps a little longer each time it finds nothing, up to two milliseconds
};

/// Frames collected for one port, sent when it is full and at the end of each poll.
struct TxBuffer {
  uint16_t count = 0;
  rte_mbuf* mbufs[kBurstSize];
};

class Worker {
 public:
  /// `id`: worker number, 0 up. `engine`: an AEAD engine of this worker's own.
  Worker(unsigned id, Shared& shared, std::unique_ptr<crypto::AeadEngine> engine,
         std::vector<RxQueue> queues, Polling polling);

  /// Polls until `stop`, as the lcore's main function.
  void run(const std::atomic<bool>& stop) noexcept;

  /// One round over queues and rings, at TSC `now`; returns how many packets it took in. What run()
  /// repeats; tests call it themselves.
  unsigned poll(uint64_t now) noexcept;

  // For the stages, on the worker's own thread. ------------------------------------------------
  const unsigned id;
  Shared& shared;
  crypto::AeadEngine& engine() noexcept { return *engine_; }
  uint64_t now = 0;          // TSC at the start of this poll
  uint64_t police_time = 0;  // the same in the policers' units
  WorkerCounters counters;
  uint64_t runs = 0;  // of the pipeline

  /// The bits of our ports' addresses: most others are told from them by it.
  const uint64_t own_addresses;
  /// One bit for an address, by its last byte.
  static uint64_t address_bit(const IpAddr& addr) noexcept {
    return uint64_t{1} << (addr.bytes[15] & 63);
  }

  Burst& lane(Lane l) noexcept { return *lanes_[static_cast<size_t>(l)]; }
  /// What stands in one lane stands in the other then, without a packet moved.
  void swap_lanes(Lane a, Lane b) noexcept {
    std::swap(lanes_[static_cast<size_t>(a)], lanes_[static_cast<size_t>(b)]);
  }

  /// Takes a complete frame for a port. It goes out by this worker's queue on that port, or by the
  /// ring of a worker that has one; what finds no room is dropped as kTransmitFull.
  void send(uint16_t port, rte_mbuf* mbuf) noexcept {
    TxBuffer& buffer = tx_[port];
    buffer.mbufs[buffer.count++] = mbuf;
    tx_pending_ |= uint32_t{1} << port;
    if (buffer.count == kBurstSize) flush(port);
  }

  /// Reports to the control thread; false when its ring is full.
  bool report(const Event& event) noexcept { return mailbox_.events.push(event); }

  /// Counts fragments that were given up, and those that have met the others of their packets.
  void count_fragments() noexcept;

  /// Packets that end here.
  void count(Drop reason, uint64_t packets = 1) noexcept {
    counters.drops[static_cast<size_t>(reason)].add(packets);
  }

  PuntAllowances allowances;  // what it may hand to the control thread, and answer itself
  Reassembler plain_parts, tunnel_parts;  // by how the fragments came
  uint32_t next_fragment_id;              // of IPv6 packets that it cuts
  std::unique_ptr<NatFlows> nat_flows;    // of the users that it owns; null: there is no NAT

 private:
  unsigned receive(unsigned count) noexcept;
  unsigned take_refused() noexcept;
  unsigned take_strays() noexcept;
  void take_stray(const Stray& stray) noexcept;
  bool find_way(const uint8_t* ip, PacketMeta& m) const noexcept;
  /// Fragments whose other parts did not come.
  void give_up_fragments() noexcept;
  void flush(uint16_t port) noexcept;
  /// How many packets wait in the receive queues, where drivers tell.
  void look_at_queues() noexcept;

  std::unique_ptr<crypto::AeadEngine> engine_;
  std::vector<RxQueue> queues_;
  Polling polling_;
  Mailbox& mailbox_;
  uint64_t polls_with_work_ = 0;
  Burst bursts_[static_cast<size_t>(Lane::kCount)];
  Burst* lanes_[static_cast<size_t>(Lane::kCount)];  // each one of bursts_
  uint32_t tx_pending_ = 0;                          // bit p: tx_[p] holds frames
  TxBuffer tx_[kMaxPorts];
};

}  // namespace wirelay::dataplane
