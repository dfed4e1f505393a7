// Rows written and read, field by field.
#include "ctrl/store/rows.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ctrl/store/columns.h"
#include "ctrl/store/row_values.h"

namespace wirelay::ctrl {

namespace {

Statement insert_into(const Database& database, const char* table,
                      const std::vector<Column>& columns) {
  return database.prepare(
      fmt::format("INSERT INTO {}({}) VALUES({})", table, fmt::join(names(columns), ", "),
                  fmt::join(std::vector<std::string>(columns.size(), "?"), ", ")));
}

/// The key is the parameter behind the columns'.
Statement update_of(const Database& database, const char* table, const std::vector<Column>& columns,
                    const char* key) {
  return database.prepare(fmt::format("UPDATE {} SET {} = ? WHERE {} = ?", table,
                                      fmt::join(names(columns), " = ?, "), key));
}

void bind_spec(Binder& binder, const UserSpec& user) {
  binder << user.name << user.origin;
  for (size_t i = 0; i < kUserFieldCount; ++i) {
    const FieldKind& kind = kUserFields[i].kind;
    const uint64_t value = user.values[static_cast<UserField>(i)];
    if (is_stored_as_text(kind)) {
      binder << value_json(value, kind).asString();
    } else {
      binder << value;
    }
  }
}

void bind_spec(Binder& binder, const PeerSpec& peer) {
  for_each_peer_field([&](PeerField, auto member) { binder << peer.*member; });
  binder << peer.name << peer.origin;
}

}  // namespace

// Users ------------------------------------------------------------------------------------------

UserRows::UserRows(Database& database)
    : insert_([&] {
        std::vector<Column> columns = user_spec_columns();
        columns.push_back({"id", ""});
        return insert_into(database, "users", columns);
      }()),
      update_(update_of(database, "users", user_spec_columns(), "id")),
      remove_(database.prepare("DELETE FROM users WHERE id = ?")),
      save_(database.prepare(fmt::format(
          "UPDATE users SET past_rx_packets = MAX(past_rx_packets, ?),"
          " past_rx_bytes = MAX(past_rx_bytes, ?), past_tx_packets = MAX(past_tx_packets, ?),"
          " past_tx_bytes = MAX(past_tx_bytes, ?), {} = ? WHERE id = ?",
          fmt::join(names(user_step_columns()), " = ?, ")))),
      save_quota_(update_of(database, "users", user_quota_columns(), "id")),
      reset_quota_(database.prepare("UPDATE users SET quota_used_up = 0, quota_used_down = 0,"
                                    " quota_warned = 0 WHERE id = ?")) {}

void UserRows::insert(const UserSpec& user) {
  Binder binder(insert_);
  bind_spec(binder, user);
  binder << user.id;
  insert_.run();
}

void UserRows::update(const UserSpec& user) {
  Binder binder(update_);
  bind_spec(binder, user);
  binder << user.id;
  update_.run();
}

void UserRows::remove(uint64_t id) {
  Binder(remove_) << id;
  remove_.run();
}

void UserRows::save(uint64_t id, const UserLife& life, bool quota_too) {
  Binder(save_) << life.past << life.step.begin << life.step.traffic << id;
  save_.run();
  if (!quota_too) return;
  Binder(save_quota_) << life.quota.begin << life.quota.used.up << life.quota.used.down
                      << uint16_t{life.quota.warned} << life.first_handshake << id;
  save_quota_.run();
}

void UserRows::reset_quota(uint64_t id) {
  Binder(reset_quota_) << id;
  reset_quota_.run();
}

std::vector<StoredUser> UserRows::all(Database& database) {
  Statement row =
      database.prepare(fmt::format("SELECT {} FROM users", fmt::join(names(user_columns()), ", ")));
  std::vector<StoredUser> users;
  while (row.step()) {
    StoredUser& user = users.emplace_back();
    RowReader reader(database, "users", row);
    reader >> user.spec.id >> user.spec.name >> user.spec.origin;
    for (size_t i = 0; i < kUserFieldCount; ++i) {
      user.spec.values[static_cast<UserField>(i)] = reader.value(kUserFields[i].kind);
    }
    UserLife& life = user.life;
    uint16_t warned = 0;
    reader >> life.past >> life.step.begin >> life.step.traffic >> life.quota.begin >>
        life.quota.used.up >> life.quota.used.down >> warned >> life.first_handshake;
    life.quota.warned = static_cast<uint8_t>(warned);
  }
  return users;
}

// Peers ------------------------------------------------------------------------------------------

PeerRows::PeerRows(Database& database)
    : insert_(database.prepare(fmt::format(
          "INSERT INTO peers({}, user) VALUES({}, (SELECT id FROM users WHERE name = ?))",
          fmt::join(names(peer_spec_columns()), ", "),
          fmt::join(std::vector<std::string>(peer_spec_columns().size(), "?"), ", ")))),
      update_(update_of(database, "peers", peer_spec_columns(), "public_key")),
      bequeath_(database.prepare(
          "UPDATE users SET past_rx_packets = past_rx_packets + p.rx_packets,"
          " past_rx_bytes = past_rx_bytes + p.rx_bytes,"
          " past_tx_packets = past_tx_packets + p.tx_packets,"
          " past_tx_bytes = past_tx_bytes + p.tx_bytes"
          " FROM (SELECT * FROM peers WHERE public_key = ?) AS p WHERE id = p.user")),
      remove_(database.prepare("DELETE FROM peers WHERE public_key = ?")),
      release_(database.prepare(
          "INSERT OR REPLACE INTO released(public_key, address, at) VALUES(?, ?, ?)")),
      forget_(database.prepare("DELETE FROM released WHERE at < ?")),
      forget_timestamp_(database.prepare("UPDATE peers SET timestamp = NULL WHERE public_key = ?")),
      save_(update_of(database, "peers", peer_life_columns(), "public_key")) {}

void PeerRows::insert(const PeerSpec& peer) {
  Binder binder(insert_);
  bind_spec(binder, peer);
  binder << peer.user;
  insert_.run();
}

void PeerRows::update(const PeerSpec& peer) {
  Binder binder(update_);
  bind_spec(binder, peer);
  binder << peer.public_key;
  update_.run();
}

void PeerRows::remove(const PeerSpec& peer, uint64_t now) {
  Binder(bequeath_) << peer.public_key;
  bequeath_.run();
  Binder(remove_) << peer.public_key;
  remove_.run();
  constexpr uint8_t kHost = 128;
  for (const dataplane::Prefix& prefix : peer.allowed_ips) {
    if (prefix.length != kHost) continue;
    Binder(release_) << peer.public_key << to_string(prefix.addr) << now;
    release_.run();
  }
}

void PeerRows::forget_timestamp(const crypto::PublicKey& key) {
  Binder(forget_timestamp_) << key;
  forget_timestamp_.run();
}

void PeerRows::forget_released(uint64_t now) {
  Binder(forget_) << now - std::min(now, AddressBook::kSecondsKept);
  forget_.run();
}

std::vector<ReleasedAddress> PeerRows::released(const Database& database) {
  Statement row = database.prepare("SELECT public_key, address, at FROM released ORDER BY at");
  std::vector<ReleasedAddress> result;
  while (row.step()) {
    ReleasedAddress& one = result.emplace_back();
    std::string address;
    RowReader(database, "released", row) >> one.key >> address >> one.unix_seconds;
    one.address = dataplane::parse_ip(address).value_or(dataplane::IpAddr{});
  }
  return result;
}

void PeerRows::save(const crypto::PublicKey& key, const PeerLife& life) {
  std::optional<dataplane::Endpoint> remote, local;
  if (life.where) {
    remote = life.where->remote;
    local = life.where->local;
  }
  Binder(save_) << life.traffic << remote << local << life.timestamp << life.handshake_unix_ns
                << key;
  save_.run();
}

std::vector<StoredPeer> PeerRows::all(Database& database, const std::vector<StoredUser>& users) {
  std::unordered_map<uint64_t, const std::string*> by_id;
  by_id.reserve(users.size());
  for (const StoredUser& user : users) by_id[user.spec.id] = &user.spec.name;

  Statement row =
      database.prepare(fmt::format("SELECT {} FROM peers", fmt::join(names(peer_columns()), ", ")));
  std::vector<StoredPeer> peers;
  while (row.step()) {
    StoredPeer& peer = peers.emplace_back();
    RowReader reader(database, "peers", row);
    for_each_peer_field([&](PeerField, auto member) { reader >> peer.spec.*member; });
    uint64_t user = 0;
    reader >> peer.spec.name >> peer.spec.origin >> user;
    const auto owner = by_id.find(user);
    if (owner == by_id.end()) {
      throw StoreError(fmt::format("{}: peer \"{}\" is of user {}, and there is none",
                                   database.file(), peer.spec.name, user));
    }
    peer.spec.user = *owner->second;
    std::optional<dataplane::Endpoint> remote, local;
    reader >> peer.life.traffic >> remote >> local >> peer.life.timestamp >>
        peer.life.handshake_unix_ns;
    if (remote && local) peer.life.where = Whereabouts{*remote, *local};
  }
  return peers;
}

}  // namespace wirelay::ctrl
