// Rows written and read, field by field.
#include "ctrl/store/rows.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ctrl/base/field_kind.h"

namespace wirelay::ctrl {

namespace {

constexpr std::string_view kCount = "INTEGER NOT NULL DEFAULT 0";

/// The columns of a Traffic, each with `prefix` before it.
std::vector<Column> traffic_columns(const std::string& prefix) {
  std::vector<Column> columns;
  for (const char* name : {"rx_packets", "rx_bytes", "tx_packets", "tx_bytes"}) {
    columns.push_back({prefix + name, std::string(kCount)});
  }
  return columns;
}

void append(std::vector<Column>& columns, std::vector<Column> more) {
  columns.insert(columns.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
}

std::vector<std::string> names(const std::vector<Column>& columns) {
  std::vector<std::string> result;
  for (const Column& column : columns) result.push_back(column.name);
  return result;
}

/// Whether a value stands for the same in another process only as text.
bool is_stored_as_text(const FieldKind& kind) {
  return kind.form != ValueForm::kScaled && kind.form != ValueForm::kWhole &&
         kind.form != ValueForm::kSwitch;
}

std::vector<Column> user_spec_columns() {
  std::vector<Column> columns = {{"name", "TEXT NOT NULL"}, {"origin", "TEXT NOT NULL"}};
  for (const UserFieldInfo& field : kUserFields) {
    std::string name(field.path);
    std::ranges::replace(name, '.', '_');
    const std::string value = is_stored_as_text(field.kind)
                                  ? fmt::format("TEXT NOT NULL DEFAULT '{}'",
                                                value_json(field.value, field.kind).asString())
                                  : fmt::format("INTEGER NOT NULL DEFAULT {}", field.value);
    columns.push_back({std::move(name), value});
  }
  return columns;
}

std::vector<Column> user_step_columns() {
  std::vector<Column> columns = {{"step_begin", std::string(kCount)}};
  append(columns, traffic_columns("step_"));
  return columns;
}

std::vector<Column> user_life_columns() {
  std::vector<Column> columns = traffic_columns("past_");
  append(columns, user_step_columns());
  return columns;
}

std::string_view peer_column_type(PeerForm form) {
  switch (form) {
    case PeerForm::kKey:
      return "BLOB PRIMARY KEY NOT NULL";
    case PeerForm::kSecret:
      return "BLOB";
    case PeerForm::kPrefixes:
      return "TEXT NOT NULL DEFAULT ''";
    case PeerForm::kEndpoint:
      return "TEXT";
    case PeerForm::kSeconds:
      return "INTEGER NOT NULL DEFAULT 0";
  }
  return "";
}

std::vector<Column> peer_spec_columns() {
  std::vector<Column> columns;
  for (const PeerFieldInfo& field : kPeerFields) {
    columns.push_back({std::string(field.name), std::string(peer_column_type(field.form))});
  }
  columns.push_back({"name", "TEXT NOT NULL"});
  columns.push_back({"origin", "TEXT NOT NULL"});
  return columns;
}

std::vector<Column> peer_life_columns() {
  std::vector<Column> columns = traffic_columns("");
  columns.push_back({"remote", "TEXT"});  // where it was last, and what it took for the relay
  columns.push_back({"local", "TEXT"});
  columns.push_back({"timestamp", "BLOB"});
  columns.push_back({"handshake_unix_ns", std::string(kCount)});
  return columns;
}

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

/// Gives a statement its values, one behind the other.
class Binder {
 public:
  explicit Binder(Statement& statement) : statement_(statement) {}

  Binder& operator<<(int64_t value) { return bind(value); }
  Binder& operator<<(uint64_t value) { return bind(static_cast<int64_t>(value)); }
  Binder& operator<<(uint16_t value) { return bind(int64_t{value}); }
  Binder& operator<<(std::string_view text) { return bind(text); }
  Binder& operator<<(Origin origin) {
    return bind(std::string_view(origin == Origin::kFile ? "file" : "api"));
  }
  Binder& operator<<(const crypto::PublicKey& key) { return bind(std::span<const uint8_t>(key)); }
  Binder& operator<<(const crypto::Timestamp& timestamp) {
    return bind(std::span<const uint8_t>(timestamp));
  }
  Binder& operator<<(const std::optional<crypto::Secret>& secret) {
    return secret ? bind(std::span<const uint8_t>(secret->bytes())) : null();
  }
  Binder& operator<<(const std::optional<dataplane::Endpoint>& endpoint) {
    return endpoint ? bind(std::string_view(to_string(*endpoint))) : null();
  }
  Binder& operator<<(const std::vector<dataplane::Prefix>& prefixes) {
    std::string text;
    for (const dataplane::Prefix& prefix : prefixes) {
      text += (text.empty() ? "" : ",") + to_string(prefix);
    }
    return bind(std::string_view(text));
  }
  Binder& operator<<(const dataplane::Traffic& traffic) {
    return *this << traffic.rx_packets << traffic.rx_bytes << traffic.tx_packets
                 << traffic.tx_bytes;
  }

 private:
  template <typename Value>
  Binder& bind(const Value& value) {
    statement_.bind(++parameter_, value);
    return *this;
  }
  Binder& null() {
    statement_.bind_null(++parameter_);
    return *this;
  }

  Statement& statement_;
  int parameter_ = 0;
};

/// Takes the values of a row, one behind the other. What is not as it was written throws.
class RowReader {
 public:
  RowReader(const Database& database, const char* table, const Statement& row)
      : database_(database), table_(table), row_(row) {}

  RowReader& operator>>(uint64_t& value) {
    value = static_cast<uint64_t>(row_.number(column_++));
    return *this;
  }
  RowReader& operator>>(uint16_t& value) {
    value = static_cast<uint16_t>(row_.number(column_++));
    return *this;
  }
  RowReader& operator>>(std::string& text) {
    text = row_.text(column_++);
    return *this;
  }
  RowReader& operator>>(Origin& origin) {
    origin = row_.text(column_++) == "file" ? Origin::kFile : Origin::kApi;
    return *this;
  }
  RowReader& operator>>(crypto::PublicKey& key) { return take(key); }
  RowReader& operator>>(crypto::Timestamp& timestamp) {
    if (!row_.is_null(column_)) return take(timestamp);
    ++column_;
    return *this;
  }
  RowReader& operator>>(std::optional<crypto::Secret>& secret) {
    if (row_.is_null(column_)) {
      ++column_;
      return *this;
    }
    crypto::Bytes32 bytes;
    take(bytes);
    secret.emplace(bytes);
    crypto::wipe(bytes.data(), bytes.size());
    return *this;
  }
  RowReader& operator>>(std::optional<dataplane::Endpoint>& endpoint) {
    if (row_.is_null(column_)) {
      ++column_;
      return *this;
    }
    endpoint = dataplane::parse_endpoint(row_.text(column_++));
    if (!endpoint) refuse();
    return *this;
  }
  RowReader& operator>>(std::vector<dataplane::Prefix>& prefixes) {
    std::string_view text = row_.text(column_++);
    while (!text.empty()) {
      const size_t comma = std::min(text.find(','), text.size());
      const auto prefix = dataplane::parse_prefix(text.substr(0, comma));
      if (!prefix) refuse();
      prefixes.push_back(*prefix);
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return *this;
  }
  RowReader& operator>>(dataplane::Traffic& traffic) {
    return *this >> traffic.rx_packets >> traffic.rx_bytes >> traffic.tx_packets >>
           traffic.tx_bytes;
  }
  /// A user's field.
  uint64_t value(const FieldKind& kind) {
    const int column = column_++;
    if (!row_.is_text(column)) return static_cast<uint64_t>(row_.number(column));
    std::string message;
    const auto value = parse_value(std::string(row_.text(column)), kind, message);
    if (!value) refuse();
    return *value;
  }

 private:
  template <typename Bytes>
  RowReader& take(Bytes& to) {
    const auto bytes = row_.bytes(column_++);
    if (bytes.size() != to.size()) refuse();
    std::memcpy(to.data(), bytes.data(), to.size());
    return *this;
  }
  [[noreturn]] void refuse() const {
    throw StoreError(fmt::format("{}: column {} of a row of table {} is not as the relay wrote it",
                                 database_.file(), column_, table_));
  }

  const Database& database_;
  const char* const table_;
  const Statement& row_;
  int column_ = 0;
};

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

std::vector<Column> user_columns() {
  std::vector<Column> columns = {{"id", "INTEGER PRIMARY KEY"}};
  append(columns, user_spec_columns());
  append(columns, user_life_columns());
  return columns;
}

std::vector<Column> peer_columns() {
  std::vector<Column> columns = peer_spec_columns();
  columns.push_back({"user", "INTEGER NOT NULL"});
  append(columns, peer_life_columns());
  return columns;
}

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
          fmt::join(names(user_step_columns()), " = ?, ")))) {}

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

void UserRows::save(uint64_t id, const UserLife& life) {
  Binder(save_) << life.past << life.step.begin << life.step.traffic << id;
  save_.run();
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
    reader >> user.life.past >> user.life.step.begin >> user.life.step.traffic;
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

void PeerRows::remove(const crypto::PublicKey& key) {
  Binder(bequeath_) << key;
  bequeath_.run();
  Binder(remove_) << key;
  remove_.run();
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
