// Timing lookups and updates, see table_speed.h.
#include "tools/bench/table_speed.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include <pthread.h>
#include <sys/resource.h>
#include <x86intrin.h>

#include "tools/bench/measure.h"
#include "tools/relaygen/histogram.h"

namespace wirelay::bench {

using namespace dataplane;

namespace {

using relaygen::Histogram;
using Clock = std::chrono::steady_clock;

constexpr uint32_t kBurst = 32;
constexpr uint32_t kUpdatesAtOnce = 64;

/// Entry numbers in random order, made before the clock runs.
std::vector<uint32_t> random_numbers(uint32_t below, uint32_t count) {
  std::mt19937 random(5);
  std::vector<uint32_t> numbers(count);
  for (uint32_t& n : numbers) n = random() % below;
  return numbers;
}

/// One lookup of each entry in `numbers` (a burst), as a stage does it. Returns something of what
/// was found, so that nothing is left out.
uint64_t look_up(TableWorld& world, Table table, const uint32_t* numbers, uint32_t count) {
  uint64_t found = 0;
  switch (table) {
    case Table::kPrefix4:
    case Table::kPrefix6: {
      IpAddr addresses[kBurst];
      RouteTarget targets[kBurst];
      for (uint32_t i = 0; i < count; ++i) {
        addresses[i] = table == Table::kPrefix4 ? TableWorld::address4(numbers[i])
                                                : TableWorld::address6(numbers[i]);
      }
      world.prefixes.lookup_burst({addresses, count}, targets);
      for (uint32_t i = 0; i < count; ++i) found += targets[i].id();
      return found;
    }
    case Table::kSession:
      for (uint32_t i = 0; i < count; ++i) {
        __builtin_prefetch(world.sessions.slot(world.indices[numbers[i]]));
      }
      for (uint32_t i = 0; i < count; ++i) {
        const Session* session = world.sessions.find(world.indices[numbers[i]]);
        if (session != nullptr) found += session->peer;
      }
      return found;
    default:
      for (uint32_t i = 0; i < count; ++i) __builtin_prefetch(&world.peers[numbers[i]]);
      for (uint32_t i = 0; i < count; ++i) found += world.peers[numbers[i]].user;
      return found;
  }
}

Json::Value to_json(const Histogram& cycles) {
  const double ns = 1e9 / tsc_hz();
  Json::Value value;
  value["lookups"] = Json::UInt64{cycles.total()};
  const auto set = [&](const char* name, uint64_t c) { value[name] = static_cast<double>(c) * ns; };
  set("p50_ns", cycles.percentile(0.5));
  set("p99_ns", cycles.percentile(0.99));
  set("p999_ns", cycles.percentile(0.999));
  set("p9999_ns", cycles.percentile(0.9999));
  set("max_ns", cycles.greatest());
  return value;
}

/// The other thread: single lookups, each timed, until it is told to stop.
class Reader {
 public:
  Reader(TableWorld& world, Table table, unsigned core)
      : world_(world), table_(table), numbers_(random_numbers(world.entries, 1u << 16)) {
    thread_ = std::thread([this, core] { run(core); });
    while (!running_.load()) std::this_thread::yield();
  }
  ~Reader() { end(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// What it saw until now.
  Json::Value stop() {
    end();
    Json::Value report = to_json(*cycles_);
    report["preempted"] = Json::Int64{preempted_};
    return report;
  }

 private:
  void end() {
    stop_.store(true);
    if (thread_.joinable()) thread_.join();
  }

  void run(unsigned core) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(core, &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    world_.rcu.online(0);
    running_.store(true);
    for (size_t i = 0; !stop_.load(std::memory_order_relaxed); ++i) {
      const uint32_t number = numbers_[i % numbers_.size()];
      unsigned core_id = 0;
      _mm_lfence();
      const uint64_t begin = __rdtsc();
      _mm_lfence();
      found_ += look_up(world_, table_, &number, 1);
      const uint64_t end = __rdtscp(&core_id);
      _mm_lfence();
      cycles_->add(end - begin);
      if (i % kBurst == 0) world_.rcu.quiescent(0);
    }
    world_.rcu.offline(0);
    rusage used{};
    getrusage(RUSAGE_THREAD, &used);
    preempted_ = used.ru_nivcsw;
  }

  TableWorld& world_;
  const Table table_;
  const std::vector<uint32_t> numbers_;
  std::unique_ptr<Histogram> cycles_ = std::make_unique<Histogram>();
  uint64_t found_ = 0;
  long preempted_ = 0;  // times that another thread took the processor
  std::atomic<bool> running_{false}, stop_{false};
  std::thread thread_;
};

/// Adds one entry and takes one away, the n-th time. They are beyond those that are looked up.
void update(TableWorld& world, Table table, uint32_t n) {
  const uint32_t spare = world.entries + n % 256;
  switch (table) {
    case Table::kPrefix4:
    case Table::kPrefix6: {
      const IpAddr address =
          table == Table::kPrefix4 ? TableWorld::address4(spare) : TableWorld::address6(spare);
      world.prefix_writer.set({address, 128}, RouteTarget::make(RouteKind::kPeer, n % 1024));
      world.prefix_writer.remove({address, 128});
      return;
    }
    case Table::kSession: {
      crypto::TransportKeys keys;
      keys.local_index = world.session_writer.reserve(0, 0).value();
      world.session_writer.publish(keys, UINT64_MAX);
      world.session_writer.retire(keys.local_index);
      return;
    }
    default:
      world.peer_writer.remove(world.add_peer(spare));
  }
}

/// Updates for so long; returns how many a second.
double write_for(TableWorld& world, Table table, double seconds) {
  const auto begin = Clock::now();
  uint32_t done = 0;
  std::chrono::duration<double> passed{0};
  while (passed.count() < seconds) {
    for (uint32_t i = 0; i < kUpdatesAtOnce; ++i) update(world, table, done++);
    world.rcu.poll(8 * kUpdatesAtOnce);
    while (world.rcu.pending() > 8 * kUpdatesAtOnce) world.rcu.poll();  // the reader is not away
    passed = Clock::now() - begin;
  }
  return 2.0 * done / passed.count();
}

}  // namespace

const char* to_text(Table table) noexcept {
  switch (table) {
    case Table::kPrefix4:
      return "prefix, IPv4";
    case Table::kPrefix6:
      return "prefix, IPv6";
    case Table::kSession:
      return "session";
    default:
      return "peer";
  }
}

double time_lookups(TableWorld& world, Table table, uint32_t lookups) {
  const std::vector<uint32_t> numbers = random_numbers(world.entries, lookups / kBurst * kBurst);
  uint64_t found = 0;
  std::vector<double> bursts;
  for (size_t i = 0; i < numbers.size(); i += kBurst) {
    const uint64_t begin = __rdtsc();
    found += look_up(world, table, &numbers[i], kBurst);
    _mm_lfence();  // what was looked up is there
    bursts.push_back(static_cast<double>(__rdtsc() - begin));
  }
  asm volatile("" : : "r"(found));
  return quartiles_of(std::move(bursts)).median / kBurst / tsc_hz() * 1e9;
}

Json::Value time_updates(TableWorld& world, Table table, double seconds, unsigned core) {
  Json::Value report;
  report["table"] = to_text(table);
  report["entries"] = world.entries;
  Reader alone(world, table, core);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  report["reader_alone"] = alone.stop();
  Reader reader(world, table, core);
  report["updates_per_second"] = write_for(world, table, seconds);
  report["reader"] = reader.stop();
  world.rcu.poll(UINT32_MAX);
  return report;
}

}  // namespace wirelay::bench
