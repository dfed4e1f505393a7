// What the protocol costs the control thread with many peers: adding them, looking at them again
// and again for the timers, memory, and handshakes; and what many users do whose time, or period,
// ends in the same second. Prints JSON; no figure is judged here.
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

#include "ctrl/quota/expiries.h"
#include "ctrl/quota/quotas.h"
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

/// What users of one moment take of the control thread, in milliseconds.
struct Together {
  double longest = 0, sum = 0;
  unsigned slices = 0;
};

/// Has `tick` work in slices of a turn until it says that it is done.
template <typename Tick>
Together in_slices(Tick tick) {
  constexpr std::chrono::microseconds kSlice(400);  // as the relay gives it
  Together taken;
  for (bool done = false; !done; ++taken.slices) {
    const double ns = time_of([&] { done = tick(ctrl::Slice(kSlice)); });
    taken.longest = std::max(taken.longest, ns / 1e6);
    taken.sum += ns / 1e6;
  }
  return taken;
}

ctrl::UserPtr user_with(ctrl::UserField field, uint64_t value) {
  ctrl::UserSpec user;
  user.values[ctrl::UserField::kQuotaBytes] = 1'000'000;
  user.values[field] = value;
  return std::make_shared<const ctrl::UserSpec>(user);
}

constexpr uint64_t kMorning = 1'800'000'000, kNextDay = kMorning + 86'400;

Together periods_that_end(uint32_t count) {
  dataplane::UserTable users(count, test::kHz);
  ctrl::Quotas quotas(users);
  quotas.tick({1, 1, kMorning * test::kSecond}, ctrl::Slice(std::chrono::seconds(1)));
  for (uint32_t user = 0; user < count; ++user) {
    quotas.add(user, user_with(ctrl::UserField::kQuotaPeriod, 1));
  }
  return in_slices([&](const ctrl::Slice& slice) {
    return quotas.tick({2, 2, kNextDay * test::kSecond}, slice);
  });
}

/// With a peer each, without sessions.
Together users_that_expire(test::Side& side, uint32_t count) {
  ctrl::Expiries expiries(side.shared.users, *side.protocol);
  for (uint32_t user = 0; user < count; ++user) {
    side.protocol->add_user(user, {});
    expiries.add(user, user_with(ctrl::UserField::kExpires, kNextDay));
  }
  return in_slices([&](const ctrl::Slice& slice) {
    return expiries.tick({2, 2, kNextDay * test::kSecond}, slice);
  });
}

void print(const char* what, const Together& taken) {
  std::printf(", \"%s\": {\"ms\": %.1f, \"slices\": %u, \"longest_ms\": %.2f}", what, taken.sum,
              taken.slices, taken.longest);
}

void run(uint32_t peers) {
  const double both_sides = handshake(50);
  rte_mempool* pool =
      rte_pktmbuf_pool_create("bench", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  ctrl::Now now{test::kSecond, test::kSecond, test::kSecond};
  dataplane::Sizes sizes{.users = peers, .peers = peers, .sessions = 4 * peers, .prefixes = 64};
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
      "\"handshake_both_sides_ns\": %.0f",
      peers, add, (added - before) / peers, (connected - before) / peers, best,
      best * peers / (ctrl::Timers::kLapMs * 1e6), both_sides);
  print("periods_that_end_together", periods_that_end(peers));
  print("users_that_expire_together", users_that_expire(side, peers));
  std::printf("}\n");
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
