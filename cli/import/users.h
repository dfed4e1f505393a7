// Users of a relay, made of another server's clients.
#pragma once

#include <string>

#include <json/value.h>

#include "cli/import/imported.h"

namespace wirelay::cli {

/// A list of users with their peers, as user.add takes them. Clients of one name are one user's
/// peers: "alice", "alice-2". Who is disabled there is disabled here: of one name, those are a user
/// for themselves. Letters that names cannot have become "-"; a client without a name is called by
/// its key.
Json::Value users_of(const ImportedServer& server);

}  // namespace wirelay::cli
