// Grace periods over rte_rcu_qsbr. Its fast paths are inline, so that a thread sanitizer build
// instruments the very atomics on which this relies.
#include "dataplane/rcu.h"

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <rte_rcu_qsbr.h>

namespace wirelay::dataplane {

Rcu::Rcu(unsigned workers) {
  if (workers == 0) workers = 1;  // nobody comes online, and nothing is waited for
  // Memory of the process, not of DPDK: its size is a multiple of a cache line already.
  qsbr_ = static_cast<rte_rcu_qsbr*>(
      std::aligned_alloc(alignof(rte_rcu_qsbr), rte_rcu_qsbr_get_memsize(workers)));
  if (qsbr_ == nullptr) throw std::runtime_error("no memory for grace periods");
  if (rte_rcu_qsbr_init(qsbr_, workers) != 0) {
    std::free(qsbr_);
    throw std::runtime_error("cannot set up grace periods");
  }
  for (unsigned id = 0; id < workers; ++id) rte_rcu_qsbr_thread_register(qsbr_, id);
}

Rcu::~Rcu() { std::free(qsbr_); }

void Rcu::online(unsigned id) noexcept { rte_rcu_qsbr_thread_online(qsbr_, id); }
void Rcu::offline(unsigned id) noexcept { rte_rcu_qsbr_thread_offline(qsbr_, id); }
void Rcu::quiescent(unsigned id) noexcept { rte_rcu_qsbr_quiescent(qsbr_, id); }

void Rcu::defer(std::function<void()> then) {
  deferred_.push_back({rte_rcu_qsbr_start(qsbr_), std::move(then)});
}

void Rcu::poll(unsigned limit) {
  for (; limit > 0 && !deferred_.empty(); --limit) {
    if (rte_rcu_qsbr_check(qsbr_, deferred_.front().token, false) == 0) return;
    const std::function<void()> then = std::move(deferred_.front().then);
    deferred_.pop_front();  // first, for `then` may defer again
    then();
  }
}

}  // namespace wirelay::dataplane
