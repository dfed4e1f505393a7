// Everything that stands between the command line and a trial: DPDK, ports, clients, sessions.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "crypto/aead.h"
#include "tools/relaygen/clients.h"
#include "tools/relaygen/eal.h"
#include "tools/relaygen/handshaker.h"
#include "tools/relaygen/options.h"
#include "tools/relaygen/peers_file.h"
#include "tools/relaygen/port.h"
#include "tools/relaygen/progress.h"
#include "tools/relaygen/receiver.h"
#include "tools/relaygen/round.h"
#include "tools/relaygen/storm.h"
#include "tools/relaygen/tunnel_side.h"

namespace wirelay::relaygen {

class Rig {
 public:
  /// Starts the ports and finds the next hops. `identities`: the clients. Throws Failure.
  Rig(const Options& options, const std::vector<Identity>& identities);
  ~Rig();

  /// Brings up those of the first `peers` clients that have no session. Throws Failure (kNoAnswer)
  /// when any stays without.
  HandshakeResult bring_up(uint32_t peers);
  /// The same for all of them, whatever they have; see Handshaker::bring_up() for `ahead`, which
  /// this is. A far end may take no two handshakes of a client within crypto::kRekeyTimeout.
  HandshakeResult bring_up_anew(uint32_t peers);

  /// Between rounds: new keys before the old ones end, and a keepalive for each session that has
  /// been silent, so that the far end does not take its client for gone. Throws Failure (kNoAnswer)
  /// when new keys are not to be had.
  void keep_sessions(uint32_t peers);

  /// Makes a storm, which sends beside all else when it is set.
  std::unique_ptr<Storm> make_storm(const Options& options, std::span<const uint32_t> senders);
  /// From now on `storm` sends beside all else; nullptr: none.
  void set_storm(Storm* storm) noexcept { storm_ = storm; }
  /// Lets the storm send what is due; true when there was anything.
  bool let_storm() noexcept { return storm_ != nullptr && storm_->step(); }
  /// Lets it, and receives; returns how much there was to do.
  unsigned poll() { return (let_storm() ? 1 : 0) + receiver_->poll(); }

  Clients& clients() noexcept { return *clients_; }
  Handshaker& handshaker() noexcept { return *handshaker_; }
  Receiver& receiver() noexcept { return *receiver_; }
  RoundMaker& maker() noexcept { return *maker_; }
  Port& tunnel() noexcept { return *tunnel_; }
  Port* plain() noexcept { return plain_.get(); }
  [[nodiscard]] std::string_view engine() const noexcept { return engine_->name(); }
  [[nodiscard]] bool huge_pages() const noexcept { return eal_.huge_pages(); }
  Progress& progress() noexcept { return progress_; }

 private:
  void start_ports(const Options& options);
  void find_neighbours(const Options& options);
  HandshakeResult shake_hands(const std::vector<uint32_t>& wanted, bool ahead);

  std::unique_ptr<crypto::AeadEngine> engine_;
  const uint32_t round_, frame_bytes_;
  Eal eal_;
  rte_mempool* receive_pool_ = nullptr;  // freed with the EAL
  rte_mempool* round_pool_ = nullptr;
  Progress progress_;
  std::unique_ptr<Port> tunnel_, plain_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<TunnelSide> tunnel_side_;
  std::unique_ptr<Handshaker> handshaker_;
  std::unique_ptr<Receiver> receiver_;
  std::unique_ptr<RoundMaker> maker_;
  Storm* storm_ = nullptr;
};

}  // namespace wirelay::relaygen
