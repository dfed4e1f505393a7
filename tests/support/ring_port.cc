// A DPDK port made of rings, see ring_port.h.
#include "tests/support/ring_port.h"

#include <atomic>
#include <stdexcept>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "tests/support/visible_order.h"

namespace wirelay::test {

namespace {

std::vector<rte_ring*> make_rings(const std::string& name, uint16_t count, unsigned size) {
  std::vector<rte_ring*> rings;
  for (uint16_t q = 0; q < count; ++q) {
    const std::string ring = name + std::to_string(q);
    rings.push_back(rte_ring_create(ring.c_str(), size, SOCKET_ID_ANY, 0));
    if (rings.back() == nullptr)
      throw std::runtime_error("ring: " + std::string(rte_strerror(rte_errno)));
  }
  return rings;
}

}  // namespace

RingPort::RingPort(uint16_t queues, unsigned size) {
  static std::atomic<unsigned> number{0};
  name_ = "lab" + std::to_string(number++);
  in_ = make_rings(name_ + "i", queues, size);
  out_ = make_rings(name_ + "o", queues, size);
  const int id = rte_eth_from_rings(name_.c_str(), in_.data(), queues, out_.data(), queues, 0);
  if (id < 0) throw std::runtime_error("ring port: " + std::string(rte_strerror(rte_errno)));
  id_ = static_cast<uint16_t>(id);
}

RingPort::~RingPort() {
  rte_mbuf* mbuf = nullptr;
  for (rte_ring* ring : in_) {
    while (rte_ring_dequeue(ring, reinterpret_cast<void**>(&mbuf)) == 0) rte_pktmbuf_free(mbuf);
  }
  for (rte_mbuf* left : take()) rte_pktmbuf_free(left);
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
  rte_vdev_uninit(("net_ring_" + name_).c_str());
  for (rte_ring* ring : in_) rte_ring_free(ring);
  for (rte_ring* ring : out_) rte_ring_free(ring);
}

bool RingPort::feed(rte_mbuf* mbuf, uint16_t queue) {
  feeds_port();
  return rte_ring_enqueue(in_.at(queue), mbuf) == 0;
}

std::vector<rte_mbuf*> RingPort::take() {
  std::vector<rte_mbuf*> all;
  for (rte_ring* ring : out_) {
    void* mbuf = nullptr;
    while (rte_ring_dequeue(ring, &mbuf) == 0) all.push_back(static_cast<rte_mbuf*>(mbuf));
  }
  if (!all.empty()) took_from_port();
  return all;
}

}  // namespace wirelay::test
