// The peers that a request names, as they are when all of its lines are done.
#include "ctrl/wg/steps.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "ctrl/base/problem.h"

namespace wirelay::ctrl::wg {

namespace {

constexpr size_t kPage = 1000;

class Plan {
 public:
  Plan(const Registry& registry, const DeviceRequest& request, const Device& device)
      : registry_(registry), request_(request), device_(device) {}

  std::vector<Step> make(const std::stop_token& stop) {
    check_device();
    for (const PeerRequest& peer : request_.peers) {
      if (stop.stop_requested()) return {};
      take(peer);
    }
    if (request_.replace_peers) remove_others(stop);
    // Those that go make room for those that come.
    for (const Planned& peer : planned_) {
      if (peer.before && !peer.there) add({RemovePeer{peer.before->name}});
    }
    for (Planned& peer : planned_) {
      if (peer.there) add_step(peer);
    }
    return std::move(steps_);
  }

 private:
  struct Planned {
    PeerPtr before;  // null: it is new
    PeerSpec now;
    bool there = false;  // when all is done
  };

  /// The relay has what its configuration says; who wants the same gets it, and so does a file that
  /// says nothing of it, for which wg sends zeros.
  void check_device() const {
    if (request_.private_key && !request_.private_key->is_zero() &&
        crypto::derive_public_key(*request_.private_key) != device_.public_key) {
      throw Refused("wg", "another private key: it stands in the relay's configuration");
    }
    const uint16_t port = request_.listen_port.value_or(0);
    if (port != 0 && port != device_.listen_port) {
      throw Refused("wg", "another port: it stands in the relay's configuration");
    }
    if (request_.mark.value_or(0) != 0) throw Refused("wg", "the relay marks no packets");
  }

  /// The peer with that key, in the plan from now on. With replace_peers it begins with nothing.
  Planned& find(const crypto::PublicKey& key) {
    const size_t place = planned_.size();
    const auto [known, fresh] = places_.try_emplace(key, place);
    if (!fresh) return planned_[known->second];
    Planned& peer = planned_.emplace_back();
    peer.before = registry_.peer(key);
    if (peer.before) {
      peer.now = *peer.before;
      peer.there = !request_.replace_peers;
    }
    peer.now.public_key = key;
    // What another peer of the request has taken is not its own any more.
    std::erase_if(peer.now.allowed_ips, [&](const dataplane::Prefix& prefix) {
      return !claims_.try_emplace(prefix, place).second;
    });
    return peer;
  }

  void take(const PeerRequest& request) {
    Planned& peer = find(request.public_key);
    if (request.remove) {
      peer.there = false;
      return;
    }
    if (!peer.there) {
      if (request.update_only) return;
      begin(peer);
    }
    PeerSpec& now = peer.now;
    if (request.preshared_key) {
      now.preshared_key = request.preshared_key->is_zero() ? std::nullopt : request.preshared_key;
    }
    if (request.endpoint) now.endpoint = request.endpoint;
    if (request.keepalive) now.persistent_keepalive = *request.keepalive;
    if (request.replace_allowed_ips) drop_claims(peer);
    for (const dataplane::Prefix& prefix : request.allowed_ips) claim(peer, prefix);
  }

  /// One that was not there, or no more: whoever it was, it has its key and its name alone.
  void begin(Planned& peer) {
    PeerSpec fresh;
    fresh.public_key = peer.now.public_key;
    fresh.user = peer.before ? peer.before->user : device_.user;
    fresh.name = peer.before ? peer.before->name : new_name(fresh.public_key);
    fresh.origin = peer.before ? peer.before->origin : Origin::kApi;
    peer.now = std::move(fresh);
    peer.there = true;
  }

  /// "wg-" and the beginning of its key, with a number behind it where that is taken.
  std::string new_name(const crypto::PublicKey& key) {
    std::string name = "wg-" + crypto::to_base64(key).substr(0, 8);
    std::ranges::replace(name, '/', '_');
    const std::string first = name;
    for (unsigned n = 2; registry_.peer(name) || !names_.emplace(name, key).second; ++n) {
      name = first + '-' + std::to_string(n);
    }
    return name;
  }

  void drop_claims(Planned& peer) {
    for (const dataplane::Prefix& prefix : peer.now.allowed_ips) claims_.erase(prefix);
    peer.now.allowed_ips.clear();
  }

  /// Of two peers of the request the later one has it. From others the step itself takes it.
  void claim(Planned& peer, const dataplane::Prefix& prefix) {
    auto& list = peer.now.allowed_ips;
    if (std::ranges::find(list, prefix) == list.end()) list.push_back(prefix);
    const auto place = static_cast<size_t>(&peer - planned_.data());
    const auto [holder, fresh] = claims_.try_emplace(prefix, place);
    if (!fresh && holder->second != place) {
      std::erase(planned_[holder->second].now.allowed_ips, prefix);
      holder->second = place;
    }
  }

  void remove_others(const std::stop_token& stop) {
    std::string last;
    for (;;) {
      const std::vector<PeerPtr> page = registry_.peers_after(last, kPage);
      if (page.empty() || stop.stop_requested()) return;
      for (const PeerPtr& peer : page) {
        if (!places_.contains(peer->public_key)) add({RemovePeer{peer->name}});
      }
      last = page.back()->name;
    }
  }

  void add_step(Planned& peer) {
    if (!peer.before) {
      add({AddPeer{std::move(peer.now), true, false}});
    } else {
      change(peer);
    }
  }

  void change(Planned& peer) {
    PeerChange change;
    change.name = peer.before->name;
    const PeerSpec &before = *peer.before, &now = peer.now;
    for_each_peer_field([&](PeerField field, auto member) {
      if (same_value(before.*member, now.*member)) return;
      change.to.*member = now.*member;
      change.named.set(static_cast<size_t>(field));
    });
    const bool displaced = before.endpoint && !now.endpoint;
    if (displaced) change.to.endpoint = dataplane::Endpoint{};  // it is nowhere
    if (change.named.any()) add({SetPeer{std::move(change), true}});
  }

  void add(Change change) { steps_.push_back({std::move(change), "wg"}); }

  const Registry& registry_;
  const DeviceRequest& request_;
  const Device& device_;
  std::vector<Planned> planned_;  // in the order in which they were named
  std::unordered_map<crypto::PublicKey, size_t, KeyHash> places_;
  std::map<dataplane::Prefix, size_t> claims_;      // of peers of the request
  std::map<std::string, crypto::PublicKey> names_;  // given to new ones
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> steps_of(const Registry& registry, const DeviceRequest& request,
                           const Device& device, const std::stop_token& stop) {
  return Plan(registry, request, device).make(stop);
}

}  // namespace wirelay::ctrl::wg
