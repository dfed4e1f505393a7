// When to announce and report, and what.
#include "ctrl/neighbour/announcer.h"

#include <algorithm>

#include <rte_random.h>

#include "ctrl/base/now.h"
#include "ctrl/neighbour/arp.h"
#include "ctrl/neighbour/nd.h"

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::Port;
using dataplane::PortAddress;
using dataplane::Prefix;

namespace {

constexpr unsigned kRounds = 2;                    // ANNOUNCE_NUM, RFC 5227, 1.1
constexpr uint64_t kBetweenNs = 2 * kNsPerSecond;  // ANNOUNCE_INTERVAL
constexpr uint32_t kLongestDelayMs = 10'000;       // Query Response Interval, RFC 3810, 9.3
constexpr unsigned kMostOfPools = 256;  // as many frames at once as a ring holds with ease
constexpr uint64_t kNsPerMs = kNsPerSecond / 1000;

/// The groups that solicitations of the port's addresses are sent to.
std::vector<IpAddr> groups_of(const Port& port) {
  std::vector<IpAddr> groups;
  for (const PortAddress& a : port.addresses) {
    if (a.addr.is_v4()) continue;
    const IpAddr group = solicited_node(a.addr);
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  }
  return groups;
}

}  // namespace

Announcer::Announcer(dataplane::Shared& shared, Resolver& resolver, NeighbourCounters& counters)
    : shared_(shared), resolver_(resolver), counters_(counters), plans_(shared.ports.size()) {}

void Announcer::announce(uint16_t port, uint64_t now_ns) {
  plans_[port].rounds = kRounds;
  plans_[port].round_ns = now_ns;
}

void Announcer::asked(uint16_t port, uint32_t delay_ms, uint64_t now_ns) {
  Plan& plan = plans_[port];
  if (plan.report_ns != 0) return;
  const uint64_t most = std::min(delay_ms, kLongestDelayMs) * kNsPerMs;
  plan.report_ns = now_ns + rte_rand_max(most + 1);
}

void Announcer::tick(uint64_t now_ns) {
  for (const Port& port : shared_.ports) {
    if (port.mtu == 0) continue;
    Plan& plan = plans_[port.id];
    if (plan.rounds != 0 && plan.round_ns <= now_ns) {
      --plan.rounds;
      plan.round_ns = now_ns + kBetweenNs;
      tell(port);
    }
    if (plan.report_ns != 0 && plan.report_ns <= now_ns) {
      plan.report_ns = 0;
      report(port, ListenerRecord::kIsExclude);
    }
  }
}

void Announcer::tell(const Port& port) {
  report(port, ListenerRecord::kToExclude);  // so that switches let answers pass
  for (const PortAddress& a : port.addresses) {
    send(a.addr.is_v4() ? make_arp_request(shared_.pool, port, a.addr, a.addr, nullptr)
                        : make_advertisement(shared_.pool, port, a.addr, NeighbourMessage{}));
  }
  tell_pools(port);
}

/// Addresses that users go out with, where they are of the port's networks; the first of them.
void Announcer::tell_pools(const Port& port) {
  unsigned left = kMostOfPools;
  for (const Prefix& pool : port.pools) {
    uint32_t host = ntohl(pool.addr.v4_be());
    for (uint64_t count = uint64_t{1} << (128 - pool.length); count != 0 && left != 0; --count) {
      const uint32_t address = htonl(host++);
      const IpAddr addr = IpAddr::v4(&address);
      const bool there = std::ranges::any_of(
          port.addresses, [&](const PortAddress& a) { return a.network.contains(addr); });
      if (!there) break;
      --left;
      if (!port.owns(addr)) send(make_arp_request(shared_.pool, port, addr, addr, nullptr));
    }
  }
}

void Announcer::report(const Port& port, ListenerRecord record) {
  const auto source = std::ranges::find_if(port.addresses, [](const PortAddress& a) {
    return !a.addr.is_v4() && a.addr.is_link_local();
  });
  if (source == port.addresses.end()) return;  // no IPv6 there
  send(make_listener_report(shared_.pool, port, source->addr, groups_of(port), record));
}

void Announcer::send(rte_mbuf* frame) {
  ++counters_.announced;
  resolver_.transmit(frame);
}

}  // namespace wirelay::ctrl
