// The columns of users and peers. Those of what an operator says come from the lists of fields
// (ctrl/base/user_fields.h, peer_fields.h), one for each: "limits.up.rate" is limits_up_rate. Those
// of their lives stand beside. Internal to ctrl/store.
#pragma once

#include <string>
#include <vector>

#include "ctrl/base/field_kind.h"

namespace wirelay::ctrl {

struct Column {
  std::string name;
  std::string type;  // as in CREATE TABLE, with what holds for rows of before
};

std::vector<Column> user_spec_columns();   // all but the key, "id"
std::vector<Column> user_step_columns();   // of the history's step that is not over
std::vector<Column> user_quota_columns();  // of the quota, and of the first handshake
std::vector<Column> user_life_columns();   // with these
std::vector<Column> peer_spec_columns();   // all but "user"
std::vector<Column> peer_life_columns();

/// All of a table.
std::vector<Column> user_columns();
std::vector<Column> peer_columns();

/// As statements have it: a name may be a word of SQL.
inline std::string quoted_name(const Column& column) { return '"' + column.name + '"'; }
std::vector<std::string> names(const std::vector<Column>& columns);

/// Whether a value stands for the same in another process only as text.
constexpr bool is_stored_as_text(const FieldKind& kind) {
  return kind.form != ValueForm::kScaled && kind.form != ValueForm::kWhole &&
         kind.form != ValueForm::kSwitch;
}

}  // namespace wirelay::ctrl
