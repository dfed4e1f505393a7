// Grace periods: what the control thread takes away is reused only when no worker can still see it.
//
// rte_rcu_qsbr underneath. Each worker reports a quiescent state once a loop; the control thread
// defers its frees and runs them from its timer. Nothing ever waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

struct rte_rcu_qsbr;

namespace wirelay::dataplane {

class Rcu {
 public:
  /// For `workers` readers, numbered from 0. Throws std::runtime_error without memory.
  explicit Rcu(unsigned workers);
  /// What is still deferred then is not run: its owners release their memory themselves.
  ~Rcu();
  Rcu(const Rcu&) = delete;
  Rcu& operator=(const Rcu&) = delete;

  // Worker `id` only. A worker starts offline; it is online whenever it may look at a table.
  void online(unsigned id) noexcept;
  void offline(unsigned id) noexcept;
  void quiescent(unsigned id) noexcept;

  // Control thread only.
  /// Runs `then` from poll(), once every worker that is online now has passed a quiescent state.
  void defer(std::function<void()> then);
  /// Runs what has become safe, in the order of defer(); at most `limit` calls.
  void poll(unsigned limit = 1024);
  [[nodiscard]] size_t pending() const noexcept { return deferred_.size(); }

 private:
  struct Deferred {
    uint64_t token;
    std::function<void()> then;
  };
  rte_rcu_qsbr* qsbr_;
  std::deque<Deferred> deferred_;  // control thread only
};

}  // namespace wirelay::dataplane
