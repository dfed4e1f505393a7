// Blocks for packets that wait, see desk.h.
#include "ctrl/nat/desk.h"

#include "ctrl/base/now.h"
#include "dataplane/net/headers.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::ctrl {

using dataplane::Drop;
using dataplane::kRelaxed;

namespace {

/// So many blocks a tick: 100,000 that users have are all looked at within 4 s.
constexpr uint32_t kLooks = 256;

}  // namespace

void NatDesk::handle(const dataplane::Punt& punt) {
  const auto* ip = rte_pktmbuf_mtod(punt.mbuf, const uint8_t*);
  const dataplane::RouteTarget sender = shared_.prefixes.lookup(dataplane::source_of(ip));
  if (sender.kind() != dataplane::RouteKind::kPeer) return refuse(punt, Drop::kSourceNotAllowed);
  const auto owner =
      writer_.serve(shared_.peers[sender.id()].user, punt.worker, dataplane::source_of(ip).v4_be());
  if (!owner) return refuse(punt, Drop::kNatNoBlock);
  const dataplane::Stray stray{punt.mbuf, punt.mbuf->port, true};
  if (!shared_.mailboxes[*owner]->strays.push(stray)) refuse(punt, Drop::kHandoffFull);
}

/// A worker counts it, and tells its sender where that is due.
void NatDesk::refuse(const dataplane::Punt& punt, Drop reason) {
  auto& mailbox = *shared_.mailboxes[punt.worker];
  if (mailbox.refused.push({punt.mbuf, reason})) return;
  ++lost_;
  rte_pktmbuf_free(punt.mbuf);
}

void NatDesk::tick(uint64_t now_ns) { writer_.tick(now_ns / kNsPerSecond, kLooks); }

NatStatus NatDesk::status() const {
  const dataplane::NatTable& table = *shared_.nat;
  NatStatus status;
  status.addresses = table.address_count();
  status.block_ports = table.settings.block_ports;
  status.max_blocks = table.each().blocks;
  status.max_flows = table.each().flows;
  status.blocks = table.block_count();
  status.blocks_free = writer_.free_blocks();
  status.blocks_resting = writer_.resting_blocks();
  status.records = table.settings.flows;
  status.packets_lost = lost_;
  return status;
}

std::optional<NatBlockStatus> NatDesk::block(uint32_t number) const {
  const dataplane::NatTable& table = *shared_.nat;
  const dataplane::NatBlock& block = table.block(number);
  const uint32_t user = block.user.load(kRelaxed);
  if (user == 0) return std::nullopt;
  const uint32_t address = table.address_of(number);
  NatBlockStatus status;
  status.user_number = user - 1;
  status.address = dataplane::IpAddr::v4(&address);
  status.first_port = table.first_port(number);
  status.last_port = static_cast<uint16_t>(status.first_port + table.settings.block_ports - 1);
  status.worker = block.owner.load(kRelaxed) - 1;
  status.mappings = block.mappings.load(kRelaxed);
  status.flows = block.flows.load(kRelaxed);
  return status;
}

NatUse NatDesk::use(uint32_t user) const noexcept {
  NatUse use;
  for (const auto& entry : shared_.nat->user(user).blocks) {
    const uint32_t block = entry.load(kRelaxed);
    if (block == 0) continue;
    ++use.blocks;
    use.flows += shared_.nat->block(block - 1).flows.load(kRelaxed);
  }
  return use;
}

}  // namespace wirelay::ctrl
