// Protects: workers as threads. No nonce is used twice when several seal for one peer; frames of
// workers without a queue, and of the control thread, go out through one that has it; an idle
// worker sleeps and holds up no grace period.
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include <rte_cycles.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

DataPathOptions two_workers(uint16_t queues) {
  DataPathOptions options;
  options.workers = 2;
  options.queues = queues;
  return options;
}

/// Until `done`, or for longer than any machine needs.
template <typename Done>
bool wait_for(Done done) {
  for (int i = 0; i < 20'000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

class WorkerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WorkerTest);
  CPPUNIT_TEST(two_threads_never_use_a_nonce_twice);
  CPPUNIT_TEST(a_worker_without_a_queue_sends_through_another);
  CPPUNIT_TEST(injected_frames_leave_by_their_port);
  CPPUNIT_TEST(sources_are_polled_in_turn);
  CPPUNIT_TEST(an_idle_worker_sleeps_and_holds_up_nobody);
  CPPUNIT_TEST(what_it_is_busy_with_is_counted);
  CPPUNIT_TEST_SUITE_END();

 public:
  void two_threads_never_use_a_nonce_twice() {
    constexpr size_t kRounds = 300, kEach = 64;
    DataPath d(two_workers(2));
    const Client c = d.add_client();
    d.session(c).send_reject_tsc = UINT64_MAX;  // run() reads the real TSC
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (auto& worker : d.workers) threads.emplace_back([&] { worker->run(stop); });
    std::set<uint64_t> counters;
    size_t received = 0;
    const auto collect = [&] {
      for (const Bytes& frame : d.sent(0)) {
        const auto opened = d.open(c, frame);
        if (opened) counters.insert(opened->counter);
        ++received;
      }
    };
    for (size_t round = 0; round < kRounds; ++round) {
      for (size_t i = 0; i < kEach; ++i) {
        d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(i))), i % 2);
      }
      CPPUNIT_ASSERT(wait_for([&] {
        collect();
        return received == (round + 1) * kEach;
      }));
    }
    stop = true;
    for (std::thread& t : threads) t.join();
    CPPUNIT_ASSERT_EQUAL(kRounds * kEach, counters.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{kRounds * kEach}, dataplane::traffic_of(d.session(c)).tx_packets);
    for (auto& worker : d.workers) CPPUNIT_ASSERT(worker->counters.tx_packets.get() > 0);
  }

  void a_worker_without_a_queue_sends_through_another() {
    DataPath d(two_workers(1));
    Client c = d.add_client(false, 1);
    // Worker 0 polls the one queue and hands the stray to worker 1, which has no queue to send by.
    const rte_mbuf* in = d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, pattern(7))));
    d.workers[0]->poll(d.now);
    d.workers[1]->poll(d.now);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, d.sent(1).size());
    d.workers[0]->poll(d.now);
    const auto out = d.sent_mbufs(1);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
    CPPUNIT_ASSERT(out[0] == in);
    rte_pktmbuf_free(out[0]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.workers[0]->counters.tx_packets.get());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.workers[1]->counters.tx_packets.get());
  }

  void injected_frames_leave_by_their_port() {
    DataPath d;
    for (unsigned i = 0; i < 2; ++i) {
      rte_mbuf* frame = d.make_mbuf(pattern(60, static_cast<uint8_t>(i)));
      frame->port = d.ports[i]->id();
      CPPUNIT_ASSERT(d.shared->mailboxes[0]->transmit.push(frame));
    }
    d.poll();
    for (unsigned i = 0; i < 2; ++i) {
      const auto out = d.sent(i);
      CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
      CPPUNIT_ASSERT(out[0] == pattern(60, static_cast<uint8_t>(i)));
    }
  }

  /// A flood by one port does not keep the other, nor the rings, from being served in each poll.
  void sources_are_polled_in_turn() {
    DataPath d;
    Client c = d.add_client();
    for (int i = 0; i < 1000; ++i) d.feed(0, pattern(60));
    d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(7))));
    rte_mbuf* injected = d.make_mbuf(pattern(60));
    injected->port = d.ports[1]->id();
    CPPUNIT_ASSERT(d.shared->mailboxes[0]->transmit.push(injected));
    CPPUNIT_ASSERT_EQUAL(66u, d.workers[0]->poll(d.now));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(0).size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(1).size());
  }

  void an_idle_worker_sleeps_and_holds_up_nobody() {
    DataPath d;
    Client c = d.add_client();
    Worker worker(0, *d.shared, crypto::make_engine("libsodium"),
                  assign_queues(d.shared->ports, 1)[0], Polling::kAdaptive);
    std::atomic<bool> stop{false};
    std::thread thread([&] { worker.run(stop); });
    CPPUNIT_ASSERT(wait_for([&] { return worker.counters.sleeps.get() > 20; }));
    bool freed = false;
    d.shared->rcu.defer([&] { freed = true; });
    CPPUNIT_ASSERT(wait_for([&] {
      d.shared->rcu.poll();
      return freed;
    }));
    d.feed(1, d.from_gateway(echo_request(addr("198.51.100.7"), addr("198.51.100.1"), pattern(8))));
    size_t answers = 0;
    CPPUNIT_ASSERT(wait_for([&] { return (answers += d.sent(1).size()) == 1; }));
    stop = true;
    thread.join();
  }

  void what_it_is_busy_with_is_counted() {
    DataPath d;
    const WorkerCounters& counts = d.workers[0]->counters;
    for (int i = 0; i < 70; ++i) d.feed(0, pattern(60));  // a full burst and another
    for (int i = 0; i < 3; ++i) d.workers[0]->poll(rte_rdtsc());
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, counts.bursts.get());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, counts.full_bursts.get());
    for (int i = 0; i < 40; ++i) {  // one poll in 31 is timed
      d.feed(0, pattern(60));
      d.workers[0]->poll(rte_rdtsc());
    }
    uint64_t timed = 0;
    for (const Counter& bucket : counts.time.packets) timed += bucket.get();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, timed);
    CPPUNIT_ASSERT(counts.time.sum_ns.get() > 0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, counts.busy_cycles.get());  // those of run()

    d.feed(0, pattern(60));
    std::atomic<bool> stop{false};
    const uint64_t begin = rte_rdtsc();
    std::thread thread([&] { d.workers[0]->run(stop); });
    CPPUNIT_ASSERT(wait_for([&] { return counts.busy_cycles.get() != 0; }));
    stop = true;
    thread.join();
    CPPUNIT_ASSERT(counts.busy_cycles.get() < rte_rdtsc() - begin);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkerTest);

}  // namespace wirelay::dataplane
