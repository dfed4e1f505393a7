// Rings of peers, one for each user.
#include "ctrl/protocol/user_book.h"

#include "dataplane/tables/commit_ahead.h"

namespace wirelay::ctrl {

void UserBook::add(uint32_t user, const SessionRules& rules) {
  reached(users_, user);
  users_[user] = {rules, 0, kNone, 0};
}

void UserBook::add_peer(uint32_t user, uint32_t peer) {
  reached(peers_, peer);
  UserState& owner = users_[user];
  PeerLinks& links = peers_[peer];
  links = {0, peer, peer};
  if (owner.peers++ == 0) {
    owner.first = peer;
    return;
  }
  links.next = owner.first;
  links.previous = peers_[owner.first].previous;
  peers_[links.previous].next = peer;
  peers_[links.next].previous = peer;
}

void UserBook::remove_peer(uint32_t user, uint32_t peer) {
  UserState& owner = users_[user];
  const PeerLinks& links = peers_[peer];
  peers_[links.previous].next = links.next;
  peers_[links.next].previous = links.previous;
  if (owner.first == peer) owner.first = links.next;
  if (--owner.peers == 0) owner.first = kNone;
}

uint32_t UserBook::next_peer(uint32_t user) {
  UserState& owner = users_[user];
  if (owner.peers == 0) return kNone;
  const uint32_t peer = owner.first;
  owner.first = peers_[peer].next;
  return peer;
}

void UserBook::note_handshake(uint32_t user, uint64_t seconds) {
  if (users_[user].handshake != 0) return;
  users_[user].handshake = seconds;
  new_.push_back(user);
}

}  // namespace wirelay::ctrl
