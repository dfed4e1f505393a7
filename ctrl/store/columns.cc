// Columns, from the lists of fields.
#include "ctrl/store/columns.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "ctrl/base/peer_fields.h"
#include "ctrl/base/user_fields.h"

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

}  // namespace

std::vector<std::string> names(const std::vector<Column>& columns) {
  std::vector<std::string> result;
  for (const Column& column : columns) result.push_back(quoted_name(column));
  return result;
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

std::vector<Column> user_quota_columns() {
  std::vector<Column> columns;
  for (const char* name :
       {"quota_begin", "quota_used_up", "quota_used_down", "quota_warned", "first_handshake"}) {
    columns.push_back({name, std::string(kCount)});
  }
  return columns;
}

std::vector<Column> user_life_columns() {
  std::vector<Column> columns = traffic_columns("past_");
  append(columns, user_step_columns());
  append(columns, user_quota_columns());
  return columns;
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

}  // namespace wirelay::ctrl
