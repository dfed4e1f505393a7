// Counting who is connected.
#include "ctrl/protocol/admission.h"

#include <algorithm>

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kSilentSeconds = 180;

}  // namespace

bool Admission::connected(uint32_t peer) {
  const PeerState& s = ctx_.state(peer);
  if (s.answering != 0) return true;
  if ((s.current | s.next | s.previous) == 0) return false;
  const uint64_t heard = std::max(s.heard, sessions_.activity(peer).received);
  // A worker may have read its clock a little later than we ours.
  return heard >= ctx_.now.tsc || ctx_.now.tsc - heard < ctx_.seconds(kSilentSeconds);
}

const SessionRules& Admission::rules_of(uint32_t peer) {
  return ctx_.user_book.rules(ctx_.user_of(peer));
}

Admission::Others Admission::others_of(uint32_t peer) {
  Others others;
  ctx_.user_book.for_each_peer(ctx_.user_of(peer), [&](uint32_t other) {
    if (other == peer || !connected(other)) return;
    ++others.count;
    const uint64_t since = ctx_.user_book.connected_since(other);
    if (since < others.since) {
      others.since = since;
      others.oldest = other;
    }
  });
  return others;
}

bool Admission::admit(uint32_t peer) {
  if (connected(peer)) return true;
  const SessionRules& rules = rules_of(peer);
  if (rules.most != 0) {
    Others others = others_of(peer);
    if (others.count >= rules.most && !rules.replace) return false;
    for (; others.count >= rules.most; others = others_of(peer)) end_(others.oldest);
  }
  ctx_.user_book.connected_since(peer) = ctx_.now.tsc;
  return true;
}

bool Admission::has_room(uint32_t peer) {
  if (closed_) return false;
  const SessionRules& rules = rules_of(peer);
  if (rules.most == 0 || connected(peer)) return true;
  return others_of(peer).count < rules.most;
}

}  // namespace wirelay::ctrl
