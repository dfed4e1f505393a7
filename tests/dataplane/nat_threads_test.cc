// Protects: blocks of NAT while two workers run and the control thread gives blocks, takes them back
// and removes users: no packet is lost without a name, none goes out with a port of a block that
// nobody has had, and no block has two users at a time.
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

constexpr uint32_t kSeedOfThreads = 8158;

/// A data path whose workers run, and clients of both of them.
class Running {
 public:
  Running() : lab_(nat_settings(), 2), d_(lab_.d) {
    for (unsigned i = 0; i < 6; ++i) {
      clients_.push_back(d_.add_client(false, i % 2));
      Session& session = d_.session(clients_.back());
      session.reject_tsc = session.send_reject_tsc = UINT64_MAX;  // run() reads the real TSC
    }
    for (auto& worker : d_.workers) threads_.emplace_back([&] { worker->run(stop_); });
  }
  ~Running() { stop(); }

  void stop() {
    stop_ = true;
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }

  void round() {
    for (Client& c : clients_) {
      const Endpoint inside{c.inner4, static_cast<uint16_t>(4000 + below(40))};
      d_.feed(0, d_.tunnelled(c, udp(inside, kServer, pattern(20))),
              static_cast<uint16_t>(below(2)));
      ++fed_;
    }
    control();
    for (const Bytes& frame : d_.sent(1)) came_out(parse_frame(frame).payload);
    count_received();
    std::this_thread::yield();
  }

  /// Until all packets are somewhere.
  void settle() {
    for (int i = 0; i < 20'000 && !settled(); ++i) {
      control();
      for (const Bytes& frame : d_.sent(1)) came_out(parse_frame(frame).payload);
      count_received();
      std::this_thread::yield();
    }
    CPPUNIT_ASSERT_MESSAGE(d_.drop_text(), settled());
  }

  [[nodiscard]] uint64_t sent_out() const { return out_; }
  [[nodiscard]] uint64_t received() const { return in_; }

 private:
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  [[nodiscard]] bool settled() const { return fed_ == out_ + in_ + d_.all_drops(); }

  void control() {
    for (unsigned w = 0; w < 2; ++w) d_.serve_blocks(w);
    d_.nat->tick(now_ += below(40), 50);
    d_.shared->rcu.poll();
    if (below(30) == 0) d_.nat->remove_user(clients_[below(6)].user);
    for (; read_ < d_.nat_records.size(); ++read_) note(d_.nat_records[read_]);
  }

  void note(const NatBlockRecord& record) {
    const Endpoint block{IpAddr::v4(&record.address), record.first_port};
    if (record.given) {
      CPPUNIT_ASSERT_MESSAGE("one at a time", held_.insert(block).second);
      had_[block].insert(record.user);
    } else {
      CPPUNIT_ASSERT_EQUAL(size_t{1}, held_.erase(block));
    }
  }

  void came_out(const Bytes& packet) {
    CPPUNIT_ASSERT(parse_ip_packet(packet).valid);
    ++out_;
    const Endpoint outside = ends_of(packet).from;
    const uint16_t first = static_cast<uint16_t>((outside.port - 1024) / 64 * 64 + 1024);
    CPPUNIT_ASSERT_MESSAGE("of a block", had_.count({outside.addr, first}) == 1);
    d_.feed(1, d_.from_gateway(udp(kServer, outside, pattern(9))), static_cast<uint16_t>(below(2)));
    ++fed_;
  }

  void count_received() {
    for (const Bytes& frame : d_.sent(0)) {
      static_cast<void>(frame);
      ++in_;
    }
  }

  std::mt19937 random_{kSeedOfThreads};
  NatLab lab_;
  DataPath& d_;
  std::vector<Client> clients_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
  std::set<Endpoint> held_;                     // blocks
  std::map<Endpoint, std::set<uint32_t>> had_;  // users of each
  size_t read_ = 0;                             // of the records
  uint64_t now_ = 1, fed_ = 0, out_ = 0, in_ = 0;
};

}  // namespace

class NatThreadsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatThreadsTest);
  CPPUNIT_TEST(blocks_come_and_go_while_workers_run);
  CPPUNIT_TEST_SUITE_END();

 public:
  void blocks_come_and_go_while_workers_run() {
    Running running;
    const auto enough = [&] { return running.sent_out() > 100 && running.received() > 50; };
    // Again where workers have hardly run: the machine may give them no processor for so long.
    for (int lap = 0; lap < 100 && !enough(); ++lap) {
      for (int round = 0; round < 400; ++round) running.round();
      running.settle();
    }
    running.stop();
    CPPUNIT_ASSERT(enough());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatThreadsTest);

}  // namespace wirelay::dataplane
