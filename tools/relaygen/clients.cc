// Clients, and the sessions they get.
#include "tools/relaygen/clients.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "tools/relaygen/addresses.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/progress.h"

namespace wirelay::relaygen {

namespace {

/// What clients have in common with the far end is computed for so many together.
constexpr size_t kAtOnce = 16 * crypto::kHandshakesAtOnce;

}  // namespace

Clients::Clients(const std::vector<Identity>& identities, const crypto::PublicKey& remote,
                 const dataplane::Prefix& outer, Family family,
                 const std::vector<dataplane::IpAddr>& targets)
    : family_(family), outer_(outer), first_index_(std::random_device()()) {
  for (const dataplane::IpAddr& target : targets) targets_[target.is_v4() ? 0 : 1] = target;
  Progress progress;
  clients_.reserve(identities.size());
  for (size_t i = 0; i < identities.size(); i += kAtOnce) {
    add(std::span(identities).subspan(i, std::min(kAtOnce, identities.size() - i)), remote);
    stop_if_interrupted();
    if (progress.is_due()) {
      progress.show("clients: " + std::to_string(size()) + " of " +
                    std::to_string(identities.size()));
    }
  }
  sessions_.resize(size());
  used_ = size();
}

void Clients::add(std::span<const Identity> identities, const crypto::PublicKey& remote) {
  const size_t first = clients_.size();
  for (const Identity& identity : identities) {
    clients_.push_back({{identity.private_key, identity.public_key},
                        {remote, {}, identity.preshared_key},
                        crypto::MacWriter(remote),
                        {},
                        outer_of(size())});
    Flow& flow = flows_.emplace_back();
    for (const dataplane::IpAddr& addr : identity.addresses) {
      flow.addresses[addr.is_v4() ? 0 : 1] = addr;
    }
  }
  std::vector<crypto::RemoteOfBurst> burst;
  for (size_t i = first; i < clients_.size(); ++i) {
    burst.push_back({&clients_[i].identity, &clients_[i].remote});
  }
  crypto::make_remotes(burst);
  for (const auto& each : burst) {
    if (!each.usable) throw UsageError("--remote-key is no usable public key");
  }
}

dataplane::Endpoint Clients::outer_of(uint32_t number) const noexcept {
  const uint32_t hosts = host_count(outer_);
  return {plus(outer_.addr, number % hosts),
          static_cast<uint16_t>(kFirstPort + number / hosts % kPorts)};
}

void Clients::check_family() const {
  const dataplane::IpAddr none;
  for (const bool v4 : {true, false}) {
    const bool wanted = family_ == Family::kBoth || (family_ == Family::k4) == v4;
    const auto lacks = [&](const Flow& flow) { return flow.addresses[v4 ? 0 : 1] == none; };
    if (wanted && std::ranges::any_of(flows_, lacks)) {
      throw UsageError(std::string("--family: a peer of the peers file has no IPv") +
                       (v4 ? "4" : "6") + " address");
    }
  }
}

Session* Clients::find(uint32_t local_index) noexcept {
  const uint32_t client = client_of(local_index);
  if (client >= size()) return nullptr;
  for (Session& session : sessions_[client]) {
    if (session.live && session.local_index == local_index) return &session;
  }
  return nullptr;
}

void Clients::install(uint32_t client, const crypto::TransportKeys& keys, double now) noexcept {
  const auto slot = static_cast<uint8_t>(1 - clients_[client].current);
  Session& session = sessions_[client][slot];
  session = Session{};
  std::memcpy(session.send_key.data(), keys.send.data(), session.send_key.size());
  std::memcpy(session.receive_key.data(), keys.receive.data(), session.receive_key.size());
  session.local_index = keys.local_index;
  session.remote_index = keys.remote_index;
  session.born = session.last_sent = now;
  session.live = true;
  session.confirmed = keys.initiator;
  if (keys.initiator) clients_[client].current = slot;
}

void Clients::confirm(uint32_t client, Session& session) noexcept {
  session.confirmed = true;
  clients_[client].current = &session == &sessions_[client][0] ? 0 : 1;
}

std::optional<uint32_t> Clients::addressed(const dataplane::Endpoint& to,
                                           std::span<const uint8_t> message) noexcept {
  const uint32_t hosts = host_count(outer_);
  if (!outer_.contains(to.addr) || to.port < kFirstPort) return std::nullopt;
  // With more clients than ports, several share an endpoint: the message tells by its mac1.
  const uint32_t first = (to.port - kFirstPort) * hosts + offset_of(to.addr, outer_.addr);
  for (uint64_t client = first; client < size(); client += uint64_t{kPorts} * hosts) {
    const auto key = crypto::mac1_key(clients_[client].identity.public_key);
    if (crypto::check_mac1(key, message)) return static_cast<uint32_t>(client);
  }
  return std::nullopt;
}

FlowEnds Clients::ends(Mode mode, uint32_t flow) const noexcept {
  const size_t family = uses_v4(flow) ? 0 : 1;
  const dataplane::IpAddr& client = flows_[flow].addresses[family];
  if (mode == Mode::kUp) return {client, targets_[family]};
  if (mode == Mode::kDown) return {targets_[family], client};
  return {client, flows_[receiver(mode, flow)].addresses[family]};
}

}  // namespace wirelay::relaygen
