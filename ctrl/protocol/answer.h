// The costly half of a handshake that a peer began: a key pair and two key agreements, three
// quarters of its arithmetic. Bytes go in and bytes come out, so that any thread may do it
// (answer_threads.h); what goes before and comes behind is the control thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "crypto/noise.h"

namespace wirelay::ctrl {

/// Secrets in it are wiped with it.
struct Answer {
  // For the arithmetic.
  crypto::HandshakeState state;
  crypto::RemoteIdentity remote;
  uint32_t index = 0;  // receiver index, reserved for the session

  // What it gives.
  crypto::MessageResponse message;
  std::optional<crypto::TransportKeys> keys;  // none for a low-order ephemeral key

  // Whose it is, and which worker heard the initiation.
  uint32_t peer = 0;
  uint8_t worker = 0;

  bool late = false;  // given up, and not computed
};

/// Computes those that are not late, together.
void compute_answers(std::span<const std::unique_ptr<Answer>> answers);

/// Who computes answers in the protocol's place. Control thread.
class Answerer {
 public:
  virtual ~Answerer() = default;
  /// False when so many wait that whoever asked would not wait for another; then nothing was done.
  virtual bool submit(std::unique_ptr<Answer>& answer) = 0;
  /// One that is computed, or given up because it has waited for too long; in any order. Null when
  /// there is none yet.
  virtual std::unique_ptr<Answer> take() = 0;
};

}  // namespace wirelay::ctrl
