// peer.*: users' devices.
#include <algorithm>
#include <array>
#include <optional>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl::api {

namespace {

Begun add_peers(const Json::Value& params) { return read_steps(params, "peers", read_peer); }

Begun set_peers(const Json::Value& params) { return read_steps(params, "peers", read_peer_change); }

Begun rename_peers(const Json::Value& params) {
  return std::vector<Step>{{RenamePeers{read_renamings(params, "peers")}, "params"}};
}

Begun rotate_keys(const Json::Value& params) { return read_steps(params, "peers", read_rotation); }

Begun forget_timestamps(const Json::Value& params) {
  return read_removals<ForgetTimestamp>(params);
}

Begun remove_peers(const Json::Value& params) { return read_removals<RemovePeer>(params); }

PeerView find_peer(const RelayFace& relay, const std::string& name) {
  PeerPtr peer = relay.registry().peer(name);
  if (!peer) throw ApiError(kNotFound, "there is no peer " + in_quotes(name));
  return {std::move(peer), relay.peer_status(name)};
}

class OnePeer : public Query {
 public:
  explicit OnePeer(std::string name) : name_(std::move(name)) {}

  bool collect(const RelayFace& relay, const Slice&) override {
    peer_ = find_peer(relay, name_);
    return true;
  }
  [[nodiscard]] Json::Value result() const override {
    return peer_entry(peer_, PresharedKey::kHide);
  }

 private:
  const std::string name_;
  PeerView peer_;
};

Begun get_peer(const Json::Value& params) {
  return std::make_shared<OnePeer>(read_only_name(params));
}

class PageOfPeers : public Query {
 public:
  PageOfPeers(Page page, std::optional<std::string> user, PresharedKey preshared_key)
      : page_(std::move(page)), user_(std::move(user)), preshared_key_(preshared_key) {}

  bool collect(const RelayFace& relay, const Slice& slice) override {
    if (!begun_) begin(relay.registry());
    while (found_ < peers_.size()) {
      PeerView& peer = peers_[found_++];
      peer.status = relay.peer_status(peer.spec->name);
      if (slice.over()) break;
    }
    return found_ == peers_.size();
  }

  [[nodiscard]] bool secret() const override { return preshared_key_ == PresharedKey::kShow; }
  [[nodiscard]] size_t entries() const override { return peers_.size(); }
  [[nodiscard]] Json::Value result() const override {
    const auto entry = [&](const PeerView& peer) { return peer_entry(peer, preshared_key_); };
    return page_json("peers", peers_, entry, more_, total_);
  }

 private:
  void begin(const Registry& registry) {
    begun_ = true;
    if (user_) {
      if (!registry.user(*user_)) {
        throw ApiError(kNotFound, "there is no user " + in_quotes(*user_));
      }
      const auto& names = registry.peers_of(*user_);
      total_ = names.size();
      for (auto name = names.upper_bound(page_.after);
           name != names.end() && peers_.size() <= page_.limit; ++name) {
        peers_.push_back({registry.peer(*name), {}});
      }
    } else {
      total_ = registry.peer_count();
      for (const PeerPtr& peer : registry.peers_after(page_.after, page_.limit + 1)) {
        peers_.push_back({peer, {}});
      }
    }
    more_ = cut_page(peers_, page_.limit);
  }

  const Page page_;
  const std::optional<std::string> user_;
  const PresharedKey preshared_key_;
  bool begun_ = false, more_ = false;
  size_t total_ = 0, found_ = 0;
  std::vector<PeerView> peers_;
};

Begun list_peers(const Json::Value& params) {
  Params fields(params);
  Page page = read_page(fields);
  auto user = fields->text("user");
  const bool keys = fields->boolean("preshared_keys").value_or(false);
  fields.finish();
  return std::make_shared<PageOfPeers>(std::move(page), std::move(user),
                                       keys ? PresharedKey::kShow : PresharedKey::kHide);
}

/// Where clients reach the relay: as configured, or else the first address it listens on.
Json::Value relay_endpoint(const Config& config) {
  if (config.public_endpoint) return *config.public_endpoint;
  if (!config.listen_addresses.empty()) {
    return to_string(
        dataplane::Endpoint{config.listen_addresses.front(), config.udp_ports.front()});
  }
  for (const PortConfig& port : config.ports) {
    if (port.tunnel && !port.addresses.empty()) {
      return to_string(dataplane::Endpoint{port.addresses.front().addr, config.udp_ports.front()});
    }
  }
  return {};
}

/// What fits into a port's packets with 80 bytes of IPv6, UDP and WireGuard around it. Not more
/// than fits into 1,500: what lies between client and relay has mostly that. Not less than IPv6
/// takes (RFC 8200, 5).
uint16_t client_mtu(uint16_t port_mtu) {
  constexpr int kOuter = 80, kUsual = 1420, kLeast = 1280;
  return static_cast<uint16_t>(std::clamp(port_mtu - kOuter, kLeast, kUsual));
}

class ClientConfig : public Query {
 public:
  explicit ClientConfig(std::string name) : name_(std::move(name)) {}

  bool collect(const RelayFace& relay, const Slice&) override {
    peer_ = find_peer(relay, name_).spec;
    public_key_ = relay.public_key();
    endpoint_ = relay_endpoint(relay.config());
    dns_ = relay.config().client_dns;
    mtu_ = client_mtu(relay.tunnel_mtu());
    return true;
  }
  [[nodiscard]] bool secret() const override { return true; }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result = ctrl::to_json(*peer_, PresharedKey::kShow);
    result.removeMember("endpoint");
    result["relay"]["public_key"] = crypto::to_base64(public_key_);
    result["relay"]["endpoint"] = endpoint_;
    result["relay"]["dns"] = to_json(dns_);
    result["relay"]["mtu"] = mtu_;
    return result;
  }

 private:
  const std::string name_;
  PeerPtr peer_;
  crypto::PublicKey public_key_{};
  Json::Value endpoint_;
  uint16_t mtu_ = 0;
  std::vector<std::string> dns_;
};

Begun client_config(const Json::Value& params) {
  return std::make_shared<ClientConfig>(read_only_name(params));
}

constexpr std::array kPeerMethods = {
    Method{"peer.add", add_peers, R"({"peers": [PEER, ...]} or PEER)", "adds peers; all or none"},
    Method{"peer.set", set_peers, R"({"peers": [PEER, ...]} or PEER)",
           "changes the fields that are named, live; all or none"},
    Method{"peer.rename", rename_peers,
           R"({"peers": [{"name": NAME, "to": NAME}, ...]} or {"name": NAME, "to": NAME})",
           "gives peers other names, all at once; all or none"},
    Method{"peer.rotate", rotate_keys,
           R"({"peers": [{"name": NAME, "public_key": KEY, "preshared_key": KEY}, ...]} or one)",
           "gives peers other keys; all else stays; all or none"},
    Method{"peer.forget_timestamp", forget_timestamps,
           R"({"names": [NAME, ...]} or {"name": NAME})",
           "takes the peers' next handshakes whatever their time: their clocks have gone back"},
    Method{"peer.remove", remove_peers, R"({"names": [NAME, ...]} or {"name": NAME})",
           "removes peers at once; all or none"},
    Method{"peer.get", get_peer, R"({"name": NAME})", "a peer, its endpoint, what it carried"},
    Method{"peer.list", list_peers,
           R"({"after": NAME, "limit": 1 to 1000, "user": NAME, "preshared_keys": false})",
           "a page of peers (of one user) in the order of their names; next is null on the last"},
    Method{"peer.config", client_config, R"({"name": NAME})",
           "what the peer's own configuration needs, its preshared key among it"},
};

}  // namespace

std::span<const Method> peer_methods() { return kPeerMethods; }

}  // namespace wirelay::ctrl::api
