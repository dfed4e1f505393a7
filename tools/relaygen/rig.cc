// Putting the rig together.
#include "tools/relaygen/rig.h"

#include <algorithm>
#include <numeric>

#include <sched.h>

#include "tools/relaygen/clock.h"
#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

constexpr uint32_t kReceivePackets = 16384;
constexpr uint32_t kHeldByPort = 8192;  // sent packets that a driver has not given back yet
constexpr uint32_t kCache = 256;
constexpr uint32_t kObjectBytes = sizeof(rte_mbuf) + 192;  // a packet beside its data
constexpr double kRenewAfter = 150;     // seconds; keys end after crypto::kRejectAfterTime
constexpr double kSilentFor = 8;        // seconds, below crypto::kKeepaliveTimeout
constexpr uint32_t kKeepaliveRun = 64;  // sent in a row

uint32_t largest_frame(const Options& options) {
  uint32_t inner = SizeMix::kMinSize;
  for (const SizeMix& mix : options.traffic.sizes) inner = std::max<uint32_t>(inner, mix.largest());
  return tunnel_frame_bytes(inner, options.traffic.tunnel_mtu, options.endpoint.addr.is_v4());
}

uint32_t receive_room(uint32_t frame_bytes) {
  return std::max<uint32_t>(frame_bytes, 2048) + RTE_PKTMBUF_HEADROOM;
}
uint32_t round_room(uint32_t frame_bytes) { return frame_bytes + RTE_PKTMBUF_HEADROOM; }

uint64_t pool_bytes(uint32_t round, uint32_t frame_bytes) {
  return uint64_t{kReceivePackets} * (receive_room(frame_bytes) + kObjectBytes) +
         uint64_t{round + kHeldByPort} * (round_room(frame_bytes) + kObjectBytes);
}

rte_mempool* make_pool(const char* name, uint32_t packets, uint32_t room) {
  rte_mempool* pool =
      rte_pktmbuf_pool_create(name, packets, kCache, 0, static_cast<uint16_t>(room), SOCKET_ID_ANY);
  if (pool == nullptr) {
    throw Failure("no memory for " + std::to_string(packets) +
                  " packets; a smaller --round needs "
                  "less");
  }
  return pool;
}

std::vector<std::string> devices(const Options& options) {
  std::vector<std::string> all = {options.tunnel.device};
  if (!options.plain.device.empty()) all.push_back(options.plain.device);
  return all;
}

bool uses(const TrafficOptions& traffic, bool v4) {
  return traffic.family == Family::kBoth || (traffic.family == Family::k4) == v4;
}

bool has_mode(const TrafficOptions& traffic, Mode mode) {
  return std::ranges::find(traffic.modes, mode) != traffic.modes.end();
}

/// Where flows end on the plain side: as given, or our own addresses there.
std::vector<dataplane::IpAddr> targets_of(const Options& options) {
  if (!options.traffic.targets.empty()) return options.traffic.targets;
  std::vector<dataplane::IpAddr> targets;
  for (const Interface& own : options.plain.addresses) targets.push_back(own.addr);
  return targets;
}

void check(const Options& options) {
  const TrafficOptions& traffic = options.traffic;
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0 && !CPU_ISSET(options.eal.core, &cores)) {
    throw UsageError("--core: there is no core " + std::to_string(options.eal.core) +
                     " that this process may run on");
  }
  if (options.plain.device == options.tunnel.device) {
    throw UsageError("--plain-port: " + options.plain.device +
                     " is the tunnel port; expected another device");
  }
  if (!has_mode(traffic, Mode::kUp) && !has_mode(traffic, Mode::kDown)) return;
  if (options.plain.device.empty()) {
    throw UsageError("--plain-port is missing: modes up and down need it");
  }
  const auto targets = targets_of(options);
  for (const bool v4 : {true, false}) {
    const auto of_family = [v4](const dataplane::IpAddr& a) { return a.is_v4() == v4; };
    if (uses(traffic, v4) && std::ranges::none_of(targets, of_family)) {
      throw UsageError(std::string("--target or --plain-ip: an IPv") + (v4 ? "4" : "6") +
                       " address is missing");
    }
  }
}

std::unique_ptr<crypto::AeadEngine> engine_of(const Options& options) {
  try {
    return crypto::make_engine(crypto::choose_engine(options.engine).name);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--engine: ") + error.what());
  }
}

dataplane::Prefix outer_prefix(const Options& options, const Port& tunnel) {
  if (options.client_prefix) return *options.client_prefix;
  const auto own = tunnel.address(options.endpoint.addr.is_v4());
  if (!own) throw UsageError("--tunnel-ip: an address of the endpoint's family is missing");
  return {*own, 128};
}

}  // namespace

Rig::Rig(const Options& options, const std::vector<Identity>& identities)
    : engine_(engine_of(options)),
      round_(options.traffic.round),
      frame_bytes_(largest_frame(options)),
      eal_((check(options), options.eal), devices(options), pool_bytes(round_, frame_bytes_)) {
  start_ports(options);
  clients_ =
      std::make_unique<Clients>(identities, options.remote_key, outer_prefix(options, *tunnel_),
                                options.traffic.family, targets_of(options));
  if (options.client_prefix) tunnel_->add_owned(*options.client_prefix);
  tunnel_side_ = std::make_unique<TunnelSide>(*tunnel_, options.endpoint);
  handshaker_ = std::make_unique<Handshaker>(*clients_, *tunnel_side_, *engine_, options.handshake);
  receiver_ = std::make_unique<Receiver>(*clients_, *handshaker_, *engine_, *tunnel_, plain_.get(),
                                         options.endpoint, options.traffic.sample);
  maker_ = std::make_unique<RoundMaker>(*clients_, *engine_, round_pool_, *tunnel_, plain_.get(),
                                        options.endpoint, options.traffic.tunnel_mtu);
  if (!options.traffic.modes.empty()) clients_->check_family();
  find_neighbours(options);
}

Rig::~Rig() = default;

void Rig::start_ports(const Options& options) {
  receive_pool_ = make_pool("receive", kReceivePackets, receive_room(frame_bytes_));
  round_pool_ = make_pool("round", round_ + kHeldByPort, round_room(frame_bytes_));
  const auto start = [&](const PortOptions& port) {
    return std::make_unique<Port>(port, Eal::port_of(port.device), frame_bytes_, receive_pool_,
                                  options.eal.link_timeout);
  };
  tunnel_ = start(options.tunnel);
  if (!options.plain.device.empty()) plain_ = start(options.plain);
}

void Rig::find_neighbours(const Options& options) {
  const unsigned seconds = options.eal.link_timeout;
  tunnel_->wait_for_link(seconds);
  if (plain_ != nullptr) plain_->wait_for_link(seconds);
  tunnel_->resolve(options.endpoint.addr, seconds);
  if (!has_mode(options.traffic, Mode::kDown)) return;
  for (const bool v4 : {true, false}) {
    if (uses(options.traffic, v4))
      plain_->resolve(clients_->ends(Mode::kUp, v4 ? 0 : 1).source, seconds);
  }
}

HandshakeResult Rig::bring_up(uint32_t peers) {
  std::vector<uint32_t> wanted;
  for (uint32_t client = 0; client < peers; ++client) {
    if (!clients_->session(client).live) wanted.push_back(client);
  }
  return shake_hands(wanted, false);
}

HandshakeResult Rig::bring_up_anew(uint32_t peers) {
  std::vector<uint32_t> all(peers);
  std::iota(all.begin(), all.end(), 0u);
  return shake_hands(all, true);
}

HandshakeResult Rig::shake_hands(const std::vector<uint32_t>& wanted, bool ahead) {
  HandshakeResult result = handshaker_->bring_up(
      wanted, ahead, [this] { return poll(); }, progress_);
  if (result.done < result.wanted) {
    throw Failure("no session for " + std::to_string(result.wanted - result.done) + " of " +
                      std::to_string(result.wanted) + " clients (" +
                      std::to_string(result.initiations) + " initiations, " +
                      std::to_string(result.cookies) + " cookies, " +
                      std::to_string(result.refused) + " responses not authentic)",
                  kNoAnswer);
  }
  return result;
}

std::unique_ptr<Storm> Rig::make_storm(const Options& options, std::span<const uint32_t> senders) {
  return std::make_unique<Storm>(options.storm, options.traffic.duration, *clients_,
                                 options.remote_key, senders, *tunnel_side_, receive_pool_,
                                 progress_);
}

void Rig::keep_sessions(uint32_t peers) {
  const double now = seconds_now();
  std::vector<uint32_t> old;
  uint32_t kept = 0;
  for (uint32_t client = 0; client < peers; ++client) {
    const Session& session = clients_->session(client);
    if (now - session.born > kRenewAfter) {
      old.push_back(client);
    } else if (now - session.last_sent > kSilentFor) {
      handshaker_->send_keepalive(client);
      if (++kept % kKeepaliveRun == 0) receiver_->poll();
    }
  }
  if (!old.empty()) shake_hands(old, false);
}

}  // namespace wirelay::relaygen
