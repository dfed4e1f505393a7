// A DPDK port whose queues are rings of this process: what is fed comes in by it, what the relay
// sends is taken out of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rte_mbuf.h>
#include <rte_ring.h>

namespace wirelay::test {

class RingPort {
 public:
  /// `size`: entries of each queue's ring, a power of two.
  explicit RingPort(uint16_t queues, unsigned size = 4096);
  ~RingPort();
  RingPort(const RingPort&) = delete;
  RingPort& operator=(const RingPort&) = delete;

  [[nodiscard]] uint16_t id() const { return id_; }
  /// Puts a frame into a receive queue, which owns it from then on; false when it is full.
  bool feed(rte_mbuf* mbuf, uint16_t queue = 0);
  /// Everything sent, of all queues; the caller frees it.
  std::vector<rte_mbuf*> take();

 private:
  std::string name_;
  uint16_t id_ = 0;
  std::vector<rte_ring*> in_, out_;
};

}  // namespace wirelay::test
