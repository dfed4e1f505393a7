// The rings between threads, see mailbox.h.
#include "dataplane/mailbox.h"

#include <atomic>
#include <stdexcept>

#include <rte_errno.h>

namespace wirelay::dataplane {

namespace {

/// DPDK finds rings by name in a table of the process: a number keeps them apart when there are
/// several data paths, as in tests.
std::string unique(const std::string& name) {
  static std::atomic<unsigned> number{0};
  return name + "." + std::to_string(number++);
}

}  // namespace

template <typename T>
Ring<T>::Ring(const std::string& name, unsigned size, unsigned flags)
    : ring_(rte_ring_create_elem(unique(name).c_str(), sizeof(T), size, SOCKET_ID_ANY, flags)) {
  if (ring_ == nullptr) {
    throw std::runtime_error("ring " + name + " of " + std::to_string(size) +
                             " entries: " + rte_strerror(rte_errno));
  }
}

template class Ring<Punt>;
template class Ring<Event>;
template class Ring<Refused>;
template class Ring<Stray>;
template class Ring<rte_mbuf*>;

Mailbox::Mailbox(unsigned worker, unsigned punt_size, unsigned handoff_size)
    : discovery("wl_discovery_" + std::to_string(worker), kDiscoverySize,
                RING_F_SP_ENQ | RING_F_SC_DEQ),
      expected("wl_expected_" + std::to_string(worker), punt_size, RING_F_SP_ENQ | RING_F_SC_DEQ),
      handshakes("wl_handshake_" + std::to_string(worker), punt_size,
                 RING_F_SP_ENQ | RING_F_SC_DEQ),
      waiting("wl_waiting_" + std::to_string(worker), punt_size, RING_F_SP_ENQ | RING_F_SC_DEQ),
      events("wl_event_" + std::to_string(worker), punt_size, RING_F_SP_ENQ | RING_F_SC_DEQ),
      refused("wl_refused_" + std::to_string(worker), kRefusedSize, RING_F_SP_ENQ | RING_F_SC_DEQ),
      handoff("wl_handoff_" + std::to_string(worker), handoff_size, RING_F_SC_DEQ),
      strays("wl_stray_" + std::to_string(worker), handoff_size, RING_F_SC_DEQ),
      transmit("wl_transmit_" + std::to_string(worker), handoff_size, RING_F_SC_DEQ) {}

}  // namespace wirelay::dataplane
