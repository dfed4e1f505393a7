// The tables of the store, made and brought up to date.
#pragma once

#include <string>

#include "ctrl/store/database.h"

namespace wirelay::ctrl {

/// Writes a copy of all that `database` holds to `file`, which only the process's own user may
/// read, and which must not be there yet. What others write meanwhile is not in it. Throws
/// StoreError.
void copy_to(const Database& database, const std::string& file);

/// Of what this program writes (SQLite's user_version). A column more for a new field does not
/// raise it: programs of before read on.
inline constexpr int kSchemaVersion = 1;

/// Throws StoreError when the file is no store, or one that a later relay wrote. True: it has all
/// that this program needs.
bool check_schema(const Database& database);

/// Makes what is missing, in one transaction. Before it changes a store that holds something, a
/// copy is put beside it, named after the moment: "relay.db.before-1767225600". Throws StoreError.
void bring_up_to_date(Database& database);

}  // namespace wirelay::ctrl
