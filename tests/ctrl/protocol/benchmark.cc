// What the protocol costs the control thread with many peers: adding them, looking at them again
// and again for the timers, memory, and handshakes. Prints JSON; no figure is judged here.
//
//   bench_protocol [PEERS | --brief]      default 100,000; --brief: 1,000, does it work?
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include <rte_mempool.h>

#include "tests/ctrl/protocol/many_peers.h"
#include "tests/support/test_environment.h"

namespace {

using namespace wirelay;
using test::Parts;

constexpr uint64_t kHandshakeNs =
    100'000;  // what the protocol believes one costs: of no matter here

double cpu_ns() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Nanoseconds of processor time that `work` takes: what else runs on the machine does not count.
template <typename Work>
double time_of(Work work) {
  const double start = cpu_ns();
  work();
  return cpu_ns() - start;
}

size_t resident_bytes() {
  size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

/// One lap over all peers in ticks of 10 ms; nanoseconds for each peer.
double lap(Parts& parts, uint32_t peers) {
  return time_of([&] {
           for (uint64_t ms = 0; ms < ctrl::Timers::kLapMs; ms += 10) {
             parts.ctx.now.ns += 10 * test::kMillisecond;
             parts.ctx.now.tsc += 10 * test::kMillisecond;
             parts.timers.tick();
           }
         }) /
         peers;
}

/// Nanoseconds for a whole handshake, both sides and the first packet.
double handshake(unsigned count) {
  double sum = 0;
  for (unsigned i = 0; i < count; ++i) {
    test::Lab lab;
    lab.introduce();
    sum += time_of([&] { lab.connect(); });
  }
  return sum / count;
}

void run(uint32_t peers) {
  const double both_sides = handshake(50);
  rte_mempool* pool =
      rte_pktmbuf_pool_create("bench", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  ctrl::Now now{test::kSecond, test::kSecond, test::kSecond};
  dataplane::Sizes sizes{.users = 4, .peers = peers, .sessions = 4 * peers, .prefixes = 64};
  const size_t before = resident_bytes();
  test::Side side(1, now, sizes, pool, kHandshakeNs, nullptr);
  Parts parts(side);
  const double add = time_of([&] { test::add_peers(parts, peers); }) / peers;
  const size_t added = resident_bytes();
  test::connect_peers(parts, peers);
  const size_t connected = resident_bytes();
  lap(parts, peers);
  double best = 1e9;
  for (int i = 0; i < 20; ++i) best = std::min(best, lap(parts, peers));
  std::printf(
      "{\"peers\": %u, \"add_ns\": %.0f, \"bytes_added\": %zu, \"bytes_connected\": %zu,\n"
      " \"timer_check_ns\": %.1f, \"timers_share_of_a_core\": %.4f, "
      "\"handshake_both_sides_ns\": %.0f}\n",
      peers, add, (added - before) / peers, (connected - before) / peers, best,
      best * peers / (ctrl::Timers::kLapMs * 1e6), both_sides);
}

}  // namespace

int main(int argc, char** argv) {
  test::start_environment(argv[0]);
  const bool brief = argc > 1 && std::string_view(argv[1]) == "--brief";
  const int peers = brief ? 1000 : argc > 1 ? std::atoi(argv[1]) : 100'000;
  if (peers <= 0) {
    std::fputs("bench_protocol [PEERS | --brief]\n", stderr);
    return 2;
  }
  run(static_cast<uint32_t>(peers));
  return 0;
}
