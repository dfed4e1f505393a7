// What a relay begins with: the users and peers of its file, and those that its store holds from
// before. All of them are one request, so that the rules of any other hold; a name that both have
// is refused. Peers go by their keys, users by their numbers, so that whoever has another name in
// the file now goes on where it was.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ctrl/config/config.h"
#include "ctrl/store/store.h"

namespace wirelay::ctrl {

class Beginning {
 public:
  /// `file`: the store's, for messages.
  Beginning(std::string file, Stored stored) : file_(std::move(file)), stored_(std::move(stored)) {}

  /// Gives the file's users the numbers that they had: each the one of its name, or else of the
  /// user that is gone and had the first of its peers.
  void number(std::span<UserSpec> users, std::span<const PeerSpec> peers) const;
  /// The steps that add what was made through the API. Their paths name the store.
  [[nodiscard]] std::vector<Step> steps() const;
  [[nodiscard]] const Stored& stored() const noexcept { return stored_; }
  [[nodiscard]] std::vector<events::Event> take_events() {
    return std::exchange(stored_.events, {});
  }

 private:
  const std::string file_;
  Stored stored_;
};

/// What a relay with this configuration would refuse to begin with: throws Refused, or StoreError
/// when its store cannot be read. Writes nothing.
void check_beginning(const Config& config);

/// The life with which `now` goes on from `before`, a peer of the same key and user. Where an
/// operator has named another endpoint since, that holds, and not where the peer was.
PeerLife life_from(const StoredPeer& before, const PeerSpec& now);

}  // namespace wirelay::ctrl
