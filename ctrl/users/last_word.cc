// The last step of each peer, and the room that it makes for others.
#include "ctrl/users/last_word.h"

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "ctrl/users/transaction.h"

namespace wirelay::ctrl {

namespace {

bool names_allowed_ips(const SetPeer& set) {
  return set.change.named[static_cast<size_t>(PeerField::kAllowedIps)];
}

/// Those that the peer has when the step is done.
const std::vector<dataplane::Prefix>& allowed_ips(const Change& change) {
  static const std::vector<dataplane::Prefix> kNone;
  if (const auto* add = std::get_if<AddPeer>(&change)) return add->spec.allowed_ips;
  if (const auto* set = std::get_if<SetPeer>(&change)) return set->change.to.allowed_ips;
  return kNone;
}

bool picks(const Step& step) {
  const auto* add = std::get_if<AddPeer>(&step.change);
  return add != nullptr && add->pick;
}

}  // namespace

LastWord::LastWord(std::span<const Step> steps) : steps_(steps) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string_view peer = peer_of(steps[i].change);
    if (!peer.empty()) last_[peer] = i;
  }
}

bool LastWord::has(size_t place) const {
  const auto found = last_.find(peer_of(steps_[place].change));
  return found != last_.end() && found->second == place;
}

std::string_view LastWord::peer_of(const Change& change) {
  if (const auto* add = std::get_if<AddPeer>(&change)) return add->spec.name;
  if (const auto* remove = std::get_if<RemovePeer>(&change)) return remove->name;
  const auto* set = std::get_if<SetPeer>(&change);
  return set != nullptr && names_allowed_ips(*set) ? std::string_view(set->change.name)
                                                   : std::string_view();
}

void Transaction::make_room(std::span<const Step> steps, const LastWord& word) {
  std::unordered_set<dataplane::Prefix, PrefixHash> wanted;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!word.has(i)) continue;
    const auto& prefixes = allowed_ips(steps[i].change);
    wanted.insert(prefixes.begin(), prefixes.end());
  }
  if (std::ranges::any_of(steps, picks)) {
    for (const dataplane::Prefix& prefix : wanted) draft_.hold(prefix.addr);
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    const PeerPtr before =
        word.has(i) ? draft_.peer(std::string(LastWord::peer_of(steps[i].change))) : nullptr;
    if (!before || std::holds_alternative<AddPeer>(steps[i].change)) continue;
    const auto& after = allowed_ips(steps[i].change);
    const std::set<dataplane::Prefix> kept(after.begin(), after.end());
    PeerSpec poorer = *before;
    const size_t given = std::erase_if(poorer.allowed_ips, [&](const dataplane::Prefix& prefix) {
      return !kept.contains(prefix) && wanted.contains(prefix);
    });
    if (given == 0) continue;
    draft_.change_peer(before, std::make_shared<const PeerSpec>(std::move(poorer)));
  }
}

void Transaction::enter_unsaid(const Change& change) {
  if (const auto* add = std::get_if<AddPeer>(&change)) {
    AddPeer rest = *add;
    rest.spec.allowed_ips.clear();
    rest.pick = false;
    enter(rest);
  } else {
    SetPeer rest = std::get<SetPeer>(change);
    rest.change.named.reset(static_cast<size_t>(PeerField::kAllowedIps));
    enter(rest);
  }
}

}  // namespace wirelay::ctrl
