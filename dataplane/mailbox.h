// The rings between threads: what workers send to the control thread, and frames that one thread
// hands to another.
//
//   worker ──punts, events─► control          single producer, single consumer
//   any    ──handoff───────► worker           frames to classify: strays of other workers
//   any    ──strays────────► worker           packets of users whose NAT mappings it owns
//   control ──refused──────► worker           packets that waited in vain: their senders are told
//   any    ──transmit──────► worker           complete frames to send on mbuf->port: what the
//                                             control thread injects, and what a worker without a
//                                             queue of its own on that port sends
#pragma once

#include <cstdint>
#include <string>

#include <rte_mbuf.h>
#include <rte_ring_elem.h>

#include "dataplane/burst.h"

namespace wirelay::dataplane {

/// A packet for the control thread, which owns the mbuf from then on.
struct Punt {
  rte_mbuf* mbuf;
  PuntReason reason;
  uint8_t worker;      // who sends it: owner of what comes of a handshake
  uint16_t adjacency;  // kUnresolved
  uint32_t peer;       // kNoSession
};
static_assert(sizeof(Punt) == 16);

enum class EventKind : uint8_t {
  kConfirmed,  // the first authentic packet of a session that we answered for
  kMoved,      // the peer was seen elsewhere than before (SessionTable::last_move())
};

/// What a worker saw and the control thread acts on.
struct Event {
  uint32_t session;  // receiver index
  EventKind kind;
};
static_assert(sizeof(Event) % 4 == 0, "rte_ring takes multiples of four bytes");

/// A peer's packet that has ended with the control thread.
struct Refused {
  rte_mbuf* mbuf;  // data at its IP header; the worker's from then on
  Drop reason;     // it is counted under
};
static_assert(sizeof(Refused) == 16);

/// A packet for the owner of its user's NAT mappings.
struct Stray {
  rte_mbuf* mbuf;  // data at its IP header; of a plain one its Ethernet header is in front
  uint16_t port;   // outward: kNatHairpin, or another
  bool outward;    // from a user
};
static_assert(sizeof(Stray) == 16);

/// An rte_ring that is freed with its owner. Sizes are powers of two.
template <typename T>
class Ring {
 public:
  /// `flags`: RING_F_SP_ENQ and so on. Throws std::runtime_error when DPDK has no memory for it.
  Ring(const std::string& name, unsigned size, unsigned flags);
  ~Ring() { rte_ring_free(ring_); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  bool push(const T& item) noexcept {
    return rte_ring_enqueue_elem(ring_, const_cast<T*>(&item), sizeof(T)) == 0;
  }
  /// Returns how many were taken in.
  unsigned push_burst(const T* items, unsigned n) noexcept {
    return rte_ring_enqueue_burst_elem(ring_, items, sizeof(T), n, nullptr);
  }
  unsigned pop_burst(T* items, unsigned n) noexcept {
    return rte_ring_dequeue_burst_elem(ring_, items, sizeof(T), n, nullptr);
  }
  [[nodiscard]] unsigned count() const noexcept { return rte_ring_count(ring_); }

 private:
  rte_ring* ring_;
};

extern template class Ring<Punt>;
extern template class Ring<Event>;
extern template class Ring<Refused>;
extern template class Ring<Stray>;
extern template class Ring<rte_mbuf*>;

/// The rings of one worker. What it hands up has a ring for each urgency, so that none of it crowds
/// out what is more urgent: were ARP and neighbour discovery to drown in a flood, the gateway would
/// be lost and with it everybody's traffic.
struct Mailbox {
  /// `punt_size`: of the rings of handshakes of both kinds, packets that wait and events each.
  Mailbox(unsigned worker, unsigned punt_size, unsigned handoff_size);

  static constexpr unsigned kDiscoverySize = 128;
  static constexpr unsigned kRefusedSize = 128;
  Ring<Punt> discovery;      // worker to control: ARP and neighbour discovery
  Ring<Punt> expected;       // worker to control: handshake messages that a flood has no part in
  Ring<Punt> handshakes;     // worker to control: initiations from anywhere
  Ring<Punt> waiting;        // worker to control: packets that wait, for a session or a neighbour
  Ring<Event> events;        // worker to control
  Ring<Refused> refused;     // control to worker
  Ring<rte_mbuf*> handoff;   // any thread to this worker
  Ring<Stray> strays;        // any thread to this worker
  Ring<rte_mbuf*> transmit;  // any thread to this worker

  Ring<Punt>& punts(PuntReason reason) noexcept {
    switch (reason) {
      case PuntReason::kArp:
      case PuntReason::kNeighbour:
        return discovery;
      case PuntReason::kExpected:
        return expected;
      case PuntReason::kHandshake:
        return handshakes;
      case PuntReason::kPathReport:
      case PuntReason::kNoSession:
      case PuntReason::kUnresolved:
      case PuntReason::kNoBlock:
        break;
    }
    return waiting;
  }
};

}  // namespace wirelay::dataplane
