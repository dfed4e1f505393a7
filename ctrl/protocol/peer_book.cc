// The peers that the protocol knows, by number and by key.
#include "ctrl/protocol/peer_book.h"

#include "dataplane/tables/commit_ahead.h"

namespace wirelay::ctrl {

PeerBook::PeerBook(uint32_t capacity)
    : capacity_(capacity),
      states_(capacity),
      identities_(capacity, dataplane::Memory::kSecret),
      refused_(capacity, dataplane::Memory::kSparse),
      keys_(&identities_, [](const void* keys, uint32_t peer) -> const crypto::PublicKey& {
        return (*static_cast<const dataplane::LazyArray<PeerIdentity>*>(keys))[peer].public_key;
      }) {}

void PeerBook::add(uint32_t peer, const PeerSpec& spec, bool enabled) {
  reached(states_, peer);
  reached(identities_, peer);
  PeerState& s = states_[peer];
  const uint32_t generation = s.generation + 1;
  s = PeerState{};
  s.generation = generation;
  s.flags = kPresent;
  set_enabled(peer, enabled);
  s.keepalive = spec.persistent_keepalive;
  s.worker = kNobody;
  refused_[peer] = {};
  PeerIdentity& id = identities_[peer];
  id = PeerIdentity{};
  id.public_key = spec.public_key;
  if (spec.preshared_key) id.preshared_key = spec.preshared_key->bytes();
  if (spec.endpoint) id.endpoint = *spec.endpoint;
  keys_.insert(peer);
}

void PeerBook::set_enabled(uint32_t peer, bool enabled) noexcept {
  uint8_t& flags = states_[peer].flags;
  if (enabled == ((flags & kEnabled) != 0)) return;
  flags ^= kEnabled;
  enabled ? ++enabled_ : --enabled_;
}

void PeerBook::remove(uint32_t peer) {
  deactivate(peer);
  set_enabled(peer, false);
  keys_.erase(peer);
  crypto::wipe(&identities_[peer], sizeof(PeerIdentity));
  states_[peer].flags = 0;
}

void PeerBook::set_key(uint32_t peer, const crypto::PublicKey& key) {
  PeerIdentity& id = identities_[peer];
  keys_.erase(peer);
  id.public_key = key;
  id.timestamp = refused_[peer] = {};
  crypto::wipe(id.static_static.data(), id.static_static.size());
  id.computed = false;
  keys_.insert(peer);
}

void PeerBook::compute_secrets(std::span<const uint32_t> peers, const crypto::Identity& self) {
  std::vector<uint32_t> unknown;
  std::vector<crypto::RemoteIdentity> remotes;
  for (const uint32_t peer : peers) {
    const PeerIdentity& id = identities_[peer];
    if (id.computed) continue;
    unknown.push_back(peer);
    remotes.push_back({id.public_key, {}, {}});
  }
  std::vector<crypto::RemoteOfBurst> burst;
  for (crypto::RemoteIdentity& remote : remotes) burst.push_back({&self, &remote});
  crypto::make_remotes(burst);
  for (size_t i = 0; i < burst.size(); ++i) {
    if (!burst[i].usable) continue;
    identities_[unknown[i]].static_static = remotes[i].static_static.bytes();
    identities_[unknown[i]].computed = true;
  }
}

std::optional<crypto::RemoteIdentity> PeerBook::remote(uint32_t peer,
                                                       const crypto::Identity& self) {
  compute_secrets({&peer, 1}, self);
  const PeerIdentity& id = identities_[peer];
  if (!id.computed) return std::nullopt;
  return crypto::RemoteIdentity{id.public_key, crypto::Secret(id.static_static),
                                crypto::Secret(id.preshared_key)};
}

void PeerBook::activate(uint32_t peer) {
  PeerState& s = states_[peer];
  if (s.active_at != 0) return;
  active_.push_back(peer);
  s.active_at = static_cast<uint32_t>(active_.size());
}

void PeerBook::deactivate(uint32_t peer) {
  PeerState& s = states_[peer];
  if (s.active_at == 0) return;
  const uint32_t moved = active_.back();
  active_[s.active_at - 1] = moved;
  states_[moved].active_at = s.active_at;
  s.active_at = 0;
  active_.pop_back();
}

}  // namespace wirelay::ctrl
