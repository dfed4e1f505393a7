// Asking for neighbours and sending to them.
#include "ctrl/neighbour/resolver.h"

#include <algorithm>

#include <rte_ip.h>
#include <rte_mempool.h>

#include "ctrl/base/log.h"
#include "ctrl/base/log_limiter.h"
#include "ctrl/neighbour/arp.h"
#include "ctrl/neighbour/nd.h"

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::Port;
using dataplane::PortAddress;
using State = Neighbour::State;

namespace {

constexpr uint64_t kRetryNs = kNsPerSecond;           // RETRANS_TIMER, RFC 4861, 10
constexpr uint8_t kMostTries = 3;                     // MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
constexpr uint64_t kReachableNs = 30 * kNsPerSecond;  // REACHABLE_TIME
constexpr uint64_t kUnusedNs = 300 * kNsPerSecond;    // then a host is forgotten
constexpr size_t kMostWaiting = 64;                   // for one neighbour
constexpr size_t kWaitingPart = 16;                   // of all buffers, for all neighbours together
/// Entries of a port; a removed one is among them, but free only later.
constexpr size_t kRoomKept = 64, kRoomKeptPart = 8;
constexpr uint16_t kLookedAt = 512;  // entries, for one that can go
/// Calls of tick() for a round over the table; a small one is done in one.
constexpr uint16_t kTicksOfRound = 10;
constexpr uint16_t kLeastOfTick = 64;

/// The address to ask from: link-local over IPv6, which is on every link, else the one of the
/// network that `target` is in.
const IpAddr* source_for(const Port& port, const IpAddr& target) noexcept {
  const IpAddr* any = nullptr;
  for (const PortAddress& a : port.addresses) {
    if (a.addr.is_v4() != target.is_v4()) continue;
    const bool best = target.is_v4() ? a.network.contains(target) : a.addr.is_link_local();
    if (best) return &a.addr;
    if (any == nullptr) any = &a.addr;
  }
  return any;
}

}  // namespace

Resolver::Resolver(dataplane::Shared& shared, NeighbourTable& table, Routes& routes,
                   NeighbourCounters& counters)
    : shared_(shared),
      table_(table),
      routes_(routes),
      counters_(counters),
      waiting_(kMostWaiting, shared.pool->size / kWaitingPart) {}

std::optional<uint16_t> Resolver::find_or_note(uint16_t port, const IpAddr& addr) {
  if (const auto number = table_.find(port, addr)) return number;
  if (table_.room(port) <= std::min(kRoomKept, table_.share() / kRoomKeptPart)) make_room(port);
  const auto number = table_.add(port, addr);
  if (!number) {
    ++counters_.table_full;
    log_limited(LogLevel::kWarning, "neighbour table full",
                "port {}: no room for {} among {} neighbours; see sizes.neighbours",
                shared_.ports[port].name, to_string(addr), table_.share());
  }
  return number;
}

std::optional<uint16_t> Resolver::find_or_add(uint16_t port, const IpAddr& addr) {
  const auto number = find_or_note(port, addr);
  if (number) table_[*number].used_ns = now_ns_;
  return number;
}

/// Gives up the entry of the port that is needed least, among the next few hundred: a sweep over a
/// network's addresses must not cost a walk over a large table for each of them.
void Resolver::make_room(uint16_t port) {
  std::optional<uint16_t> victim;
  for (uint16_t left = std::min(table_.end(), kLookedAt); left != 0; --left) {
    hand_ = static_cast<uint16_t>((hand_ + 1) % table_.end());
    if (table_[hand_].port != port || !may_go(hand_)) continue;
    if (!victim || goes_before(table_[hand_], table_[*victim])) victim = hand_;
  }
  if (victim) forget(*victim);
}

/// Never a gateway, one that a path leads over, or one that is in use.
bool Resolver::may_go(uint16_t number) {
  Neighbour& n = table_[number];
  if (n.state == State::kFree || n.gateway || n.holds != 0) return false;
  if (n.resolved() && table_.take_used(number)) n.used_ns = now_ns_;
  return !n.resolved() || n.used_ns == 0 || now_ns_ - n.used_ns >= kReachableNs;
}

/// First those that only told us of themselves, which anybody can do under many names; then those
/// that do not answer, so that a sweep costs nobody his; of a kind, the one not used for longest.
bool Resolver::goes_before(const Neighbour& a, const Neighbour& b) const noexcept {
  const auto need = [](const Neighbour& n) { return n.used_ns == 0 ? 0 : n.resolved() ? 2 : 1; };
  return need(a) != need(b) ? need(a) < need(b) : a.used_ns < b.used_ns;
}

void Resolver::transmit(rte_mbuf* frame) {
  if (frame == nullptr) {
    ++counters_.no_memory;
  } else if (!shared_.mailboxes.front()->transmit.push(frame)) {
    ++counters_.transmit_full;
    rte_pktmbuf_free(frame);
  }
}

void Resolver::send(rte_mbuf* packet, uint16_t number) {
  Neighbour& n = table_[number];
  n.used_ns = now_ns_;
  if (!n.resolved()) {
    counters_.held_dropped += waiting_.hold(number, packet);
    want(number);
    return;
  }
  const Port& port = shared_.ports[n.port];
  const bool v4 = *rte_pktmbuf_mtod(packet, const uint8_t*) >> 4 == 4;
  auto* ether =
      reinterpret_cast<rte_ether_hdr*>(rte_pktmbuf_prepend(packet, sizeof(rte_ether_hdr)));
  if (ether == nullptr) {
    ++counters_.held_dropped;
    rte_pktmbuf_free(packet);
    return;
  }
  ether->dst_addr = n.mac;
  ether->src_addr = port.mac;
  ether->ether_type = rte_cpu_to_be_16(v4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
  packet->port = n.port;
  transmit(packet);
}

void Resolver::want(uint16_t number) {
  Neighbour& n = table_[number];
  if (n.state != State::kIdle) return;
  n.state = State::kAsking;
  n.tries = 0;
  ask(number);
}

void Resolver::ask(uint16_t number) {
  Neighbour& n = table_[number];
  ++n.tries;
  n.due_ns = now_ns_ + kRetryNs;
  const Port& port = shared_.ports[n.port];
  const IpAddr* source = source_for(port, n.addr);
  if (source == nullptr) return;  // we have no address of this family there
  ++counters_.asked;
  const rte_ether_addr* to = n.state == State::kProbing ? &n.mac : nullptr;
  const auto make = n.addr.is_v4() ? make_arp_request : make_solicitation;
  transmit(make(shared_.pool, port, *source, n.addr, to));
}

/// RFC 4861, 7.2.3 and 7.2.5; ARP's messages are read the same way. A silent gateway is one that we
/// know nothing of, but for where it was.
void Resolver::learn(uint16_t number, const NeighbourMessage& message) {
  const Neighbour& n = table_[number];
  if (!n.resolved()) {
    if (message.mac) resolve(number, *message.mac);
    return;
  }
  const bool silent = n.state == State::kSilent;
  const bool same = !message.mac || rte_is_same_ether_addr(&*message.mac, &n.mac);
  if (!same && !message.replaces && !silent) return;
  if (!same) ++counters_.moved;
  if (!same || message.solicited || silent) resolve(number, message.mac.value_or(n.mac));
}

void Resolver::resolve(uint16_t number, const rte_ether_addr& mac) {
  Neighbour& n = table_[number];
  if (n.gateway && n.failed) {
    log_info("gateway {} on port {} answers", to_string(n.addr), shared_.ports[n.port].name);
  }
  n.state = State::kResolved;
  answers(number, true);
  n.due_ns = now_ns_ + kReachableNs;
  table_.publish(number, mac);
  routes_.add_host(number);
  for (rte_mbuf* packet : waiting_.take(number)) send(packet, number);
}

void Resolver::tick() {
  const uint16_t end = table_.end();
  const auto part = static_cast<uint16_t>(end / kTicksOfRound + 1);
  for (uint16_t left = std::min(end, std::max(part, kLeastOfTick)); left != 0; --left) {
    check(next_);
    next_ = static_cast<uint16_t>((next_ + 1) % end);
  }
}

void Resolver::check(uint16_t number) {
  Neighbour& n = table_[number];
  if (n.state == State::kIdle) {
    if (n.gateway)
      want(number);
    else if (n.holds == 0 && now_ns_ - n.used_ns >= kUnusedNs)
      forget(number);
    return;
  }
  if (n.state == State::kFree || now_ns_ < n.due_ns) return;
  if (n.state == State::kResolved) {
    refresh(number);
  } else if (n.tries < kMostTries) {
    ask(number);
  } else {
    unanswered(number);
  }
}

/// As often as RFC 4861 asks (7.3.3).
void Resolver::unanswered(uint16_t number) {
  Neighbour& n = table_[number];
  if (!n.resolved()) return give_up(number);
  if (!n.gateway) {
    table_.withdraw(number);
    routes_.remove_host(number);
    n.state = State::kIdle;
    return want(number);
  }
  if (!n.failed) {
    log_warning("gateway {} on port {} no longer answers; it is sent to as before and asked for on",
                to_string(n.addr), shared_.ports[n.port].name);
  }
  answers(number, false);
  n.state = State::kSilent;
  n.tries = 0;
  ask(number);
}

void Resolver::refresh(uint16_t number) {
  Neighbour& n = table_[number];
  if (table_.take_used(number)) n.used_ns = now_ns_;
  if (!n.gateway && n.holds == 0 && now_ns_ - n.used_ns >= kUnusedNs) {
    forget(number);
    return;
  }
  n.state = State::kProbing;
  n.tries = 0;
  ask(number);
}

/// Gateways are asked for on and on, from check(); others when a packet wants them again.
void Resolver::give_up(uint16_t number) {
  Neighbour& n = table_[number];
  if (n.gateway && !n.failed) {
    log_warning("gateway {} on port {} does not answer; it is asked for on", to_string(n.addr),
                shared_.ports[n.port].name);
  }
  answers(number, false);
  n.state = State::kIdle;
  for (rte_mbuf* packet : waiting_.take(number)) refuse(packet, number);
}

void Resolver::answers(uint16_t number, bool yes) {
  Neighbour& n = table_[number];
  const bool changed = n.failed == yes;
  n.failed = !yes;
  if (n.gateway && changed && on_gateway_) on_gateway_(n, yes);
}

/// A worker tells its sender and counts it.
void Resolver::refuse(rte_mbuf* packet, uint16_t number) {
  auto& mailbox = *shared_.mailboxes[number % shared_.mailboxes.size()];
  if (mailbox.refused.push({packet, dataplane::Drop::kNeighbourUnresolved})) return;
  ++counters_.held_dropped;
  rte_pktmbuf_free(packet);
}

void Resolver::forget(uint16_t number) {
  routes_.remove_host(number);
  counters_.held_dropped += waiting_.drop(number);
  table_.remove(number);
}

}  // namespace wirelay::ctrl
