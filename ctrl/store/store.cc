// Changes and lives on their way into the file.
#include "ctrl/store/store.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "ctrl/base/log.h"
#include "ctrl/base/now.h"

namespace wirelay::ctrl {

namespace {

bool same(const UserSpec& a, const UserSpec& b) {
  return a.name == b.name && a.origin == b.origin && a.values == b.values;
}
/// But for whose they are.
bool same(const PeerSpec& a, const PeerSpec& b) {
  bool result = a.name == b.name && a.origin == b.origin;
  for_each_peer_field(
      [&](PeerField, auto member) { result = result && same_value(a.*member, b.*member); });
  return result;
}

}  // namespace

Store::Open::Open(const std::string& file, const char* vfs)
    : lock(file), database(open_store(file, vfs)), statements(database) {}

Store::Store(const std::string& file, const char* vfs) : file_(file) {
  try {
    open_ = std::make_unique<Open>(file, vfs);
    next_user_id_ = next_user_id(database());
  } catch (const StoreError& error) {
    if (!error.of_disk() || !std::filesystem::exists(file)) throw;
    refusal_ = error.what();
  }
}

Store::~Store() {
  if (!open_) return;
  writer_.post([this] {
    if (not_so_.empty()) return;
    database().write([&] {
      for (const ChangeEvent& event : not_so_) write(event);
    });
  });
}

Stored Store::read() {
  if (!open_) return read_store(file_);
  Stored stored;
  writer_.run([&] { stored = read_all(database()); });
  return stored;
}

void Store::replace(const Stored& before, std::span<const ChangeEvent> added) {
  if (!refusal_.empty()) return;
  std::unordered_map<uint64_t, const UserSpec*> users;
  std::unordered_map<crypto::PublicKey, const PeerSpec*, KeyHash> peers;
  std::unordered_map<std::string_view, uint64_t> was_numbered, is_numbered;  // users by their names
  for (const StoredUser& user : before.users) {
    users[user.spec.id] = &user.spec;
    was_numbered[user.spec.name] = user.spec.id;
  }
  for (const StoredPeer& peer : before.peers) peers[peer.spec.public_key] = &peer.spec;

  uint64_t next_id = before.next_user_id;
  std::vector<const UserSpec*> new_users, changed_users;
  std::vector<const PeerSpec*> new_peers, changed_peers;
  const auto sort_in = [](auto& known, const auto& key, const auto& spec, auto& fresh,
                          auto& changed) {
    const auto found = known.find(key);
    if (found == known.end()) return fresh.push_back(&spec);
    if (!same(*found->second, spec)) changed.push_back(&spec);
    known.erase(found);
  };
  for (const ChangeEvent& event : added) {
    if (const auto* user = std::get_if<UserEvent>(&event)) {
      next_id = std::max(next_id, user->after->id + 1);
      is_numbered[user->after->name] = user->after->id;
      sort_in(users, user->after->id, *user->after, new_users, changed_users);
    } else {
      const PeerSpec& peer = *std::get<PeerEvent>(event).after;
      const auto found = peers.find(peer.public_key);
      // Another user's is another peer.
      if (found != peers.end() &&
          was_numbered.at(found->second->user) != is_numbered.at(peer.user)) {
        new_peers.push_back(&peer);
      } else {
        sort_in(peers, peer.public_key, peer, new_peers, changed_peers);
      }
    }
  }
  const bool nothing = peers.empty() && users.empty() && new_users.empty() && new_peers.empty() &&
                       changed_users.empty() && changed_peers.empty();
  if (nothing) return;
  try {
    writer_.run([&] {
      database().write([&] {
        for (const auto& [key, peer] : peers) open_->statements.peers.remove(*peer, unix_seconds());
        for (const auto& [id, user] : users) {
          open_->statements.users.remove(id);
          open_->statements.history.remove(id);
        }
        for (const UserSpec* user : changed_users) open_->statements.users.update(*user);
        for (const UserSpec* user : new_users) open_->statements.users.insert(*user);
        for (const PeerSpec* peer : changed_peers) open_->statements.peers.update(*peer);
        for (const PeerSpec* peer : new_peers) open_->statements.peers.insert(*peer);
        number_users_from(database(), next_id);
      });
      next_user_id_ = next_id;
    });
  } catch (const StoreError& error) {
    if (!error.of_disk()) throw;
    refusal_ = error.what();
  }
}

void Store::keep(std::span<const Prepared> requests) {
  if (!refusal_.empty())
    throw StoreError("nothing was changed, for it could not be kept: " + refusal_);
  uint64_t next_id = 0;
  for (const Prepared& request : requests) {
    for (const ChangeEvent& event : request.events) {
      const auto* user = std::get_if<UserEvent>(&event);
      if (user != nullptr && user->after) next_id = std::max(next_id, user->after->id + 1);
    }
  }
  writer_.run([&] {
    database().write([&] {
      for (const ChangeEvent& event : not_so_) write(event);
      for (const Prepared& request : requests) {
        for (const ChangeEvent& event : request.events) write(event);
      }
      if (next_id > next_user_id_) number_users_from(database(), next_id);
    });
    not_so_.clear();
    next_user_id_ = std::max(next_user_id_, next_id);
    ++kept_;  // the door's thread waits
    for (const Prepared& request : requests) {
      for (const ChangeEvent& event : request.events) note_outdated(event);
    }
  });
}

void Store::take_back(std::span<const Prepared> requests) {
  std::vector<ChangeEvent> events;
  for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
    const auto& of = request->events;
    std::transform(of.rbegin(), of.rend(), std::back_inserter(events), reversed);
  }
  writer_.run([&] {
    not_so_.insert(not_so_.end(), events.begin(), events.end());
    try {
      database().write([&] {
        for (const ChangeEvent& event : not_so_) write(event);
      });
      not_so_.clear();
    } catch (const StoreError& error) {
      log_error("what was stored and then failed is taken back with the next change: {}",
                error.what());
    }
  });
}

void Store::write(const ChangeEvent& event) {
  if (const auto* user = std::get_if<UserEvent>(&event)) {
    if (!user->before) {
      open_->statements.users.insert(*user->after);
      open_->statements.history.keep(user->after->id);
    } else if (!user->after) {
      open_->statements.users.remove(user->before->id);
      open_->statements.history.remove(user->before->id);
    } else if (user->before != user->after) {
      open_->statements.users.update(*user->after);
      if (user->quota_reset) open_->statements.users.reset_quota(user->after->id);
    }
    return;
  }
  const auto& peer = std::get<PeerEvent>(event);
  if (!peer.before) {
    open_->statements.peers.insert(*peer.after);
  } else if (!peer.after) {
    open_->statements.peers.remove(*peer.before, unix_seconds());
  } else if (peer.before != peer.after && peer.before->user == peer.after->user) {
    // A row has its user's number: what the user is named is no change of its peers.
    open_->statements.peers.update(*peer.after);
    if (peer.timestamp_forgotten) {
      open_->statements.peers.forget_timestamp(peer.after->public_key);
    }
  }
}

void Store::note_outdated(const ChangeEvent& event) {
  if (const auto* user = std::get_if<UserEvent>(&event)) {
    if (user->quota_reset) reset_[user->after->id] = kept_;
    return;
  }
  const auto& peer = std::get<PeerEvent>(event);
  if (!peer.after || peer.timestamp_forgotten) removed_[peer.before->public_key] = kept_;
}

void Store::save(Lives lives, std::function<void()> written) {
  writer_.post([this, lives = std::move(lives), written = std::move(written)] {
    database().write([&] {
      for (const ChangeEvent& event : not_so_) write(event);
      write(lives);
      open_->statements.history.prune(unix_seconds());
      open_->statements.peers.forget_released(unix_seconds());
    });
    not_so_.clear();
    const auto is_past = [&](const auto& noted) { return noted.second <= lives.told; };
    std::erase_if(removed_, is_past);
    std::erase_if(reset_, is_past);
    written();
  });
}

void Store::write(const Lives& lives) {
  for (const UserLives& user : lives.users) {
    const auto reset = reset_.find(user.user);
    const bool quota_too = reset == reset_.end() || reset->second <= lives.told;
    open_->statements.users.save(user.user, user.life, quota_too);
    for (const auto& [key, life] : user.peers) {
      const auto removed = removed_.find(key);
      if (removed == removed_.end() || removed->second <= lives.told) {
        open_->statements.peers.save(key, life);
      }
    }
    for (const UsageStep& step : user.over) open_->statements.history.add(user.user, step);
  }
}

void Store::save(const std::vector<events::Batch>& batches) {
  if (!refusal_.empty()) return;
  for (const events::Batch& batch : batches) {
    for (size_t at = 0; at < batch->size(); at += kEventsAtOnce) {
      const size_t many = std::min(kEventsAtOnce, batch->size() - at);
      if (events_waiting_.load(std::memory_order_relaxed) + many > kMostEvents) return;
      events_waiting_ += many;
      writer_.post([this, batch, at, many] {
        database().write([&] {
          for (size_t i = at; i < at + many; ++i) open_->statements.events.add((*batch)[i]);
          open_->statements.events.prune(unix_seconds());
        });
        events_waiting_ -= many;
      });
    }
  }
}

void Store::look(std::function<void(const Database* database)> read) {
  writer_.ask([this, read = std::move(read)] { read(refusal_.empty() ? &database() : nullptr); });
}

}  // namespace wirelay::ctrl
