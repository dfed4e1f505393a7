// What holds of two protocols on a wire, whatever happens to them: looked at by fuzz_protocol at
// each message and between any two things that happen.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "crypto/wire.h"
#include "tests/ctrl/protocol/lab.h"

namespace wirelay::test {

inline void must(bool holds) {
  if (!holds) std::abort();
}

class ProtocolRules {
 public:
  explicit ProtocolRules(Lab& lab) : lab_(lab) {}

  /// A message leaves `from`, and arrives or is lost. Nothing is sent under keys that no handshake
  /// has made, nor by who answered before the other has used them, nor after 180 s; and counters
  /// only go up.
  void message(const Side& from, const Message& message, bool arrives) {
    if (message.type == crypto::MessageType::kResponse) response(from, message);
    if (message.type == crypto::MessageType::kTransport) transport(from, message, arrives);
  }

  /// Sessions have both keys, are younger than 180 s and no more than a peer may have, and what
  /// workers send with is one of them.
  void stand() {
    for (Side* side : {lab_.a.get(), lab_.b.get()}) {
      side->shared.rcu.poll();
      must(side->sessions.in_use() <= kMostSessions);
      check_sessions(*side);
      const uint32_t peer = side == lab_.a.get() ? lab_.peer_of_a : lab_.peer_of_b;
      if (side->shared.peers[peer].current.load() != 0) {
        const dataplane::Session* current = side->current(peer);
        must(current != nullptr && current->peer == peer);
      }
    }
  }

  /// Receiver indices that `side` has had sessions under, the last one at the end.
  [[nodiscard]] const std::vector<uint32_t>& indices(const Side& side) const {
    return indices_[&side == lab_.a.get() ? 0 : 1];
  }

 private:
  static constexpr unsigned kMostSessions = 4;  // reserved ones included (ctrl/protocol/sessions.h)
  static constexpr unsigned kMostPublished = 3;  // previous, current, next
  static constexpr uint64_t kOldest = crypto::kRejectAfterTime * kSecond;
  static constexpr uint64_t kLap = kSecond;  // timers look at a peer more often than that

  /// How one side sends: what its half of a session is to the other.
  struct Way {
    uint32_t own = 0;       // the sender's receiver index
    uint64_t born = 0;      // 0: nothing was sent yet
    bool answered = false;  // the sender has answered the handshake
    bool proven = false;    // ... and the other has used the session
    uint64_t next = 0;      // the least counter that is allowed
  };

  void response(const Side& from, const Message& message) {
    const Side& other = &from == lab_.a.get() ? *lab_.b : *lab_.a;
    const uint32_t sender = crypto::load_le32(&message.bytes[4]);
    const uint32_t receiver = crypto::load_le32(&message.bytes[8]);
    ways_[{&from, receiver}] = {sender, lab_.now.tsc, true, false, 0};
    ways_[{&other, sender}] = {receiver, 0, false, true, 0};
    indices_[&from == lab_.a.get() ? 0 : 1].push_back(sender);
    indices_[&from == lab_.a.get() ? 1 : 0].push_back(receiver);
  }

  void transport(const Side& from, const Message& message, bool arrives) {
    const uint32_t receiver = crypto::load_le32(&message.bytes[4]);
    const uint64_t counter = crypto::load_le64(&message.bytes[8]);
    const auto found = ways_.find({&from, receiver});
    must(found != ways_.end());
    Way& way = found->second;
    if (way.born == 0) way.born = lab_.now.tsc;  // who began sends at once
    must(lab_.now.tsc - way.born <= kOldest + kMillisecond);
    must(way.proven);
    must(counter >= way.next);
    way.next = counter + 1;
    if (way.answered || !arrives) return;
    const Side& other = &from == lab_.a.get() ? *lab_.b : *lab_.a;
    Way& back = ways_[{&other, way.own}];
    if (back.own == receiver) back.proven = true;
  }

  void check_sessions(Side& side) {
    dataplane::SessionTable& table = side.shared.sessions;
    unsigned published = 0;
    for (uint32_t slot = 0; slot < table.slots(); ++slot) {
      const dataplane::Session* s = table.slot(table.layout().index(slot, 0, 0));
      const uint32_t index = s->index.load();
      must(s->send_index.load() == index);
      if (index == 0) continue;
      ++published;
      const auto zero = [](uint8_t byte) { return byte == 0; };
      must(!std::ranges::all_of(s->send_key, zero));
      must(!std::ranges::all_of(s->receive_key, zero));
      must(!std::ranges::equal(s->send_key, s->receive_key));
      must(s->reject_tsc == s->send_reject_tsc);
      must(s->reject_tsc <= lab_.now.tsc + kOldest && s->reject_tsc + kLap > lab_.now.tsc);
      uint64_t& sent = counters_[{&side, index}];
      must(s->send_counter.load() >= sent);
      sent = s->send_counter.load();
    }
    must(published <= kMostPublished);
  }

  Lab& lab_;
  std::map<std::pair<const Side*, uint32_t>, Way> ways_;  // by the index that the sender writes
  std::map<std::pair<const Side*, uint32_t>, uint64_t> counters_;  // by session
  std::array<std::vector<uint32_t>, 2> indices_;
};

}  // namespace wirelay::test
