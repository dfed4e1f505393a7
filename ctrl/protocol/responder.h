// Our side of handshakes that peers begin (WireGuard paper, sections 5.4.2 and 5.4.3).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ctrl/packets/datagram.h"
#include "ctrl/protocol/admission.h"
#include "ctrl/protocol/answer.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/handshakes.h"
#include "ctrl/protocol/paths.h"
#include "ctrl/protocol/sessions.h"
#include "ctrl/protocol/shared_keys.h"

namespace wirelay::ctrl {

class Responder {
 public:
  /// `answerer` computes in our place; null: we do it at once.
  Responder(Context& ctx, Handshakes& handshakes, Sessions& sessions, Admission& admission,
            SharedKeys& shared_keys, Paths& paths, Answerer* answerer)
      : ctx_(ctx),
        handshakes_(handshakes),
        sessions_(sessions),
        admission_(admission),
        shared_keys_(shared_keys),
        paths_(paths),
        answerer_(answerer) {}

  /// Answers initiations that came together, now or when their answers are computed; or counts why
  /// not. A peer has one answer under way.
  void take_initiations(std::span<const Datagram> datagrams);
  /// Sends up to `most` answers that are computed; returns how many there were.
  unsigned finish(unsigned most);
  /// Once after an answer could not be computed in time.
  bool take_overload() noexcept { return std::exchange(overloaded_, false); }

 private:
  /// Who asks, as far as it says so itself.
  struct Asking {
    const Datagram* datagram;
    const crypto::MessageInitiation* message;
    crypto::OpenedInitiation opened;
    uint32_t peer;
    crypto::RemoteIdentity remote;
  };
  [[nodiscard]] std::vector<Asking> open(std::span<const Datagram> datagrams,
                                         std::span<const crypto::MessageInitiation> messages);
  void learn_remotes(std::vector<Asking>& asking);
  [[nodiscard]] bool may_ask(uint32_t peer, const Datagram& datagram);
  [[nodiscard]] bool admit(const Asking& asking, const std::optional<crypto::Timestamp>& timestamp);
  std::unique_ptr<Answer> begin_answer(const Asking& asking);
  void compute(std::vector<std::unique_ptr<Answer>> answers);
  void finish(Answer& answer);
  void send(Answer& answer, const dataplane::PeerPath& path);
  void warn_of_clock(uint32_t peer, const crypto::Timestamp& refused,
                     const crypto::Timestamp& greatest);
  void watch_key(uint32_t peer, const dataplane::Endpoint& from);

  Context& ctx_;
  Handshakes& handshakes_;
  Sessions& sessions_;
  Admission& admission_;
  SharedKeys& shared_keys_;
  Paths& paths_;
  Answerer* const answerer_;
  bool overloaded_ = false;
};

}  // namespace wirelay::ctrl
