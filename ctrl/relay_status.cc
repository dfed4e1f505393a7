// What a relay is asked from other threads, and what it tells of itself.
#include "ctrl/relay.h"

namespace wirelay::ctrl {

void Relay::collect(Work work) {
  loop_.post([this, work = std::move(work)]() mutable {
    agenda_.add([this, work = std::move(work)](const Slice& slice) { return work(*this, slice); });
  });
}

void Relay::change(ChangeRequest request, Door::Done done) {
  const events::Asker asker{request.origin.value_or(Origin::kApi), request.caller, request.what};
  door_.submit(std::move(request), [this, asker, done = std::move(done)](ChangeOutcome outcome) {
    tell_of(asker, outcome);
    done(std::move(outcome));
  });
}

void Relay::reload(const ReloadOptions& options, Reloader::Done done) {
  loop_.post([this, options, done = std::move(done)] { reloader_.ask(options, done); });
}

uint64_t Relay::uptime_ns() const { return read_clocks().ns - start_ns_; }

uint64_t Relay::tsc_hz() const { return datapath_.shared().tsc_hz; }

std::vector<const dataplane::WorkerCounters*> Relay::workers() const {
  return datapath_.counters();
}

size_t Relay::port_count() const { return datapath_.port_count(); }

PortStatus Relay::port(size_t i) const { return datapath_.port_status(i); }

uint16_t Relay::tunnel_mtu() const { return datapath_.tunnel_mtu(); }

std::vector<NeighbourStatus> Relay::neighbours() const { return neighbours_.status(); }

const NeighbourCounters& Relay::neighbour_counters() const { return neighbours_.counters(); }

const ProtocolCounters& Relay::protocol_counters() const { return protocol_.counters(); }

UserStatus Relay::user_status(const std::string& name) const {
  UserStatus status;
  const auto number = publisher_.user_number(name);
  if (!number) return status;
  const dataplane::User& user = datapath_.shared().users[*number];
  status.dropped_up = user.dropped_up.load(std::memory_order_relaxed);
  status.dropped_down = user.dropped_down.load(std::memory_order_relaxed);
  if (nat_) {
    const NatUse use = nat_->use(*number);
    status.nat_blocks = use.blocks;
    status.nat_flows = use.flows;
  }
  status.traffic = publisher_.past_traffic(name);
  status.quota = publisher_.quotas().status(*number);
  status.expiry = publisher_.expiries().status(*number);
  return status;
}

PeerStatus Relay::peer_status(const std::string& name) const {
  const auto number = publisher_.peer_number(name);
  return number ? protocol_.status(*number) : PeerStatus{};
}

std::optional<DrainStatus> Relay::draining() const {
  return drain_.status(read_clocks().ns, protocol_.peer_counts().connected);
}

std::vector<RingDepth> Relay::ring_depths() const {
  std::vector<RingDepth> depths;
  for (unsigned worker = 0; const auto& box : datapath_.shared().mailboxes) {
    depths.push_back({worker, "discovery", box->discovery.count()});
    depths.push_back({worker, "expected", box->expected.count()});
    depths.push_back({worker, "handshakes", box->handshakes.count()});
    depths.push_back({worker, "waiting", box->waiting.count()});
    depths.push_back({worker, "events", box->events.count()});
    depths.push_back({worker, "refused", box->refused.count()});
    depths.push_back({worker, "handoff", box->handoff.count()});
    depths.push_back({worker, "strays", box->strays.count()});
    depths.push_back({worker, "transmit", box->transmit.count()});
    ++worker;
  }
  return depths;
}

uint32_t Relay::sessions_in_use() const { return session_writer_.in_use(); }

std::optional<NatStatus> Relay::nat() const {
  if (!nat_) return std::nullopt;
  NatStatus status = nat_->status();
  status.port = config_.nat44->port;
  status.records_used = datapath_.nat_records();
  status.ipfix_lost = ipfix_ ? ipfix_->lost() : 0;
  return status;
}

std::optional<NatBlockStatus> Relay::nat_block(uint32_t number) const {
  auto block = nat_->block(number);
  if (!block) return std::nullopt;
  const UserPtr user = publisher_.user(block->user_number);
  if (user) block->user = user->name;
  return block;
}

}  // namespace wirelay::ctrl
