// One atomic word that all ports share, and pools of instrumented rings; see visible_order.h.
#include "tests/support/visible_order.h"

#include <atomic>
#include <cerrno>
#include <stdexcept>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <rte_ring.h>

namespace wirelay::test {

namespace {

#ifdef __SANITIZE_THREAD__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::atomic<uint64_t> passed{0};

void gives() noexcept { passed.fetch_add(1, std::memory_order_release); }
void takes() noexcept { static_cast<void>(passed.load(std::memory_order_acquire)); }

uint16_t polled(uint16_t, uint16_t, rte_mbuf**, uint16_t count, uint16_t, void*) {
  if (count != 0) takes();
  return count;
}
uint16_t sending(uint16_t, uint16_t, rte_mbuf**, uint16_t count, void*) {
  if (count != 0) gives();
  return count;
}

rte_ring* ring_of(const rte_mempool* pool) { return static_cast<rte_ring*>(pool->pool_data); }

int make_ring(rte_mempool* pool) {
  pool->pool_data =
      rte_ring_create(pool->name, rte_align32pow2(pool->size + 1), pool->socket_id, 0);
  return pool->pool_data == nullptr ? -ENOMEM : 0;
}
void free_ring(rte_mempool* pool) { rte_ring_free(ring_of(pool)); }
int put(rte_mempool* pool, void* const* objects, unsigned count) {
  return rte_ring_mp_enqueue_bulk(ring_of(pool), objects, count, nullptr) == 0 ? -ENOBUFS : 0;
}
int get(rte_mempool* pool, void** objects, unsigned count) {
  return rte_ring_mc_dequeue_bulk(ring_of(pool), objects, count, nullptr) == 0 ? -ENOBUFS : 0;
}
unsigned count_of(const rte_mempool* pool) { return rte_ring_count(ring_of(pool)); }

constexpr char kOps[] = "visible_ring";

rte_mempool_ops visible_ops() {
  rte_mempool_ops ops{};
  rte_strscpy(ops.name, kOps, sizeof ops.name);
  ops.alloc = make_ring;
  ops.free = free_ring;
  ops.enqueue = put;
  ops.dequeue = get;
  ops.get_count = count_of;
  return ops;
}

}  // namespace

void make_pools_visible() {
  if (!kSanitized) return;
  static const int registered = [] {
    const rte_mempool_ops ops = visible_ops();
    return rte_mempool_register_ops(&ops) < 0 ? -1 : rte_mbuf_set_user_mempool_ops(kOps);
  }();
  if (registered != 0) throw std::runtime_error("pools cannot be made visible");
}

void make_port_visible(uint16_t port, uint16_t queues) {
  if (!kSanitized) return;
  for (uint16_t q = 0; q < queues; ++q) {
    if (rte_eth_add_rx_callback(port, q, polled, nullptr) == nullptr ||
        rte_eth_add_tx_callback(port, q, sending, nullptr) == nullptr) {
      throw std::runtime_error("a port cannot be made visible");
    }
  }
}

void feeds_port() noexcept {
  if (kSanitized) gives();
}
void took_from_port() noexcept {
  if (kSanitized) takes();
}

}  // namespace wirelay::test
