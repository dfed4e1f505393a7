// The values of a row, one behind the other: how each kind of value that the relay has is written
// in SQLite, and read again. Internal to ctrl/store.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "ctrl/base/field_kind.h"
#include "ctrl/store/database.h"
#include "ctrl/users/life.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl {

/// Gives a statement its values, one behind the other.
class Binder {
 public:
  explicit Binder(Statement& statement) : statement_(statement) {}

  Binder& operator<<(int64_t value) { return bind(value); }
  Binder& operator<<(uint64_t value) { return bind(static_cast<int64_t>(value)); }
  Binder& operator<<(uint16_t value) { return bind(int64_t{value}); }
  Binder& operator<<(std::string_view text) { return bind(text); }
  Binder& operator<<(Origin origin) { return bind(text_of(origin)); }
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
    origin = row_.text(column_++) == text_of(Origin::kFile) ? Origin::kFile : Origin::kApi;
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

}  // namespace wirelay::ctrl
