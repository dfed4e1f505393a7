// Handshakes of many clients with one far end: as initiator in a sliding window, with
// retransmission and cookies; as responder when the far end wants new keys.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "crypto/aead.h"
#include "tools/relaygen/clients.h"
#include "tools/relaygen/histogram.h"
#include "tools/relaygen/options.h"
#include "tools/relaygen/progress.h"
#include "tools/relaygen/tunnel_side.h"

namespace wirelay::relaygen {

struct HandshakeResult {
  uint32_t wanted = 0, done = 0;
  double seconds = 0;  // from the first initiation to the last response
  uint64_t initiations = 0, repeated = 0, cookies = 0, refused = 0;
  Histogram latency;  // nanoseconds from an initiation to its response
};

class Handshaker {
 public:
  Handshaker(Clients& clients, TunnelSide& tunnel, crypto::AeadEngine& engine,
             const HandshakeOptions& options);
  ~Handshaker();

  /// Brings sessions up for `wanted`. `poll` receives from the tunnel port once, gives handshake
  /// messages to take(), and returns how many packets it saw. `ahead`: all initiations are computed
  /// before the clock starts and responses are opened after it has stopped, so that the time is the
  /// far end's and not ours.
  HandshakeResult bring_up(std::span<const uint32_t> wanted, bool ahead,
                           const std::function<unsigned()>& poll, Progress& progress);

  /// Computes these clients' initiations now, for a bring_up() `ahead` that is to begin at once.
  void prepare_ahead(std::span<const uint32_t> wanted, Progress& progress);

  /// An initiation, response or cookie reply that came in. `to`: the client's outer endpoint.
  void take(const dataplane::Endpoint& to, std::span<const uint8_t> message);

  /// An empty transport packet: confirms a session, and keeps it.
  void send_keepalive(uint32_t client);

  /// Initiations of the far end that were answered.
  [[nodiscard]] uint64_t answered() const noexcept { return answered_; }

 private:
  struct Attempt;
  struct Sent {
    uint32_t client;
    uint64_t at;  // cycles
  };

  [[nodiscard]] size_t due_after(uint64_t cycles) const;
  void start(std::span<const uint32_t> clients, bool prepared);
  void prepare(std::span<const uint32_t> clients);
  void send_initiation(Attempt& attempt, uint32_t client);
  void repeat_overdue(uint64_t now);
  void take_response(std::span<const uint8_t> bytes);
  void take_cookie(std::span<const uint8_t> bytes);
  void answer_initiation(const dataplane::Endpoint& to, std::span<const uint8_t> bytes);
  void note_answered(Attempt& attempt);
  void finish_came();
  void show_progress(Progress& progress) const;

  Clients& clients_;
  TunnelSide& tunnel_;
  crypto::AeadEngine& engine_;
  const HandshakeOptions options_;
  std::vector<std::unique_ptr<Attempt>> attempts_;  // by client, while under way
  std::deque<Sent> sent_;                           // oldest first, answered ones among them
  std::vector<uint32_t> came_;                      // whose responses are to be opened
  HandshakeResult result_;
  uint32_t waiting_ = 0;  // initiations without response
  uint64_t last_response_ = 0, answered_ = 0;
  bool ahead_ = false;
};

}  // namespace wirelay::relaygen
