// Where answers go, see answer.h.
#include "dataplane/stages/answer.h"

#include <cstring>

#include "dataplane/net/headers.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

const IpAddr* address_of(const Port& port, bool v4) noexcept {
  const IpAddr* link_local = nullptr;
  for (const PortAddress& a : port.addresses) {
    if (a.addr.is_v4() != v4) continue;
    if (!a.addr.is_link_local()) return &a.addr;
    link_local = &a.addr;
  }
  return link_local;
}

const IpAddr* tunnel_address(const Shared& shared, bool v4) noexcept {
  for (const IpAddr& addr : shared.tunnel_addresses) {
    if (addr.is_v4() == v4) return &addr;
  }
  for (const Port& port : shared.ports) {
    const IpAddr* addr = address_of(port, v4);
    if (addr != nullptr && !addr->is_link_local()) return addr;
  }
  return nullptr;
}

}  // namespace

rte_ether_addr link_sender(const rte_mbuf* packet) noexcept {
  rte_ether_addr sender;
  const auto* eth = reinterpret_cast<const rte_ether_hdr*>(
      rte_pktmbuf_mtod(packet, const uint8_t*) - RTE_ETHER_HDR_LEN);
  std::memcpy(&sender, &eth->src_addr, sizeof sender);
  return sender;
}

bool send_back(Worker& worker, rte_mbuf* packet, const rte_ether_addr& to) noexcept {
  const bool v4 = ip_version(rte_pktmbuf_mtod(packet, const uint8_t*)) == 4;
  auto* eth = reinterpret_cast<rte_ether_hdr*>(rte_pktmbuf_prepend(packet, RTE_ETHER_HDR_LEN));
  if (eth == nullptr) return false;
  eth->dst_addr = to;
  eth->src_addr = worker.shared.ports[packet->port].mac;
  eth->ether_type = v4 ? RTE_BE16(RTE_ETHER_TYPE_IPV4) : RTE_BE16(RTE_ETHER_TYPE_IPV6);
  worker.send(packet->port, packet);
  return true;
}

const IpAddr* own_address(const Worker& worker, const rte_mbuf* packet, bool tunnelled) noexcept {
  const bool v4 = ip_version(rte_pktmbuf_mtod(packet, const uint8_t*)) == 4;
  return tunnelled ? tunnel_address(worker.shared, v4)
                   : address_of(worker.shared.ports[packet->port], v4);
}

}  // namespace wirelay::dataplane::stages
