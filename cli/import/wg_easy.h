// The clients of wg-easy (up to version 14): its wg0.json.
#pragma once

#include <string_view>

#include "cli/import/imported.h"

namespace wirelay::cli {

/// In the order of the file's names for clients. Throws Failure, which repeats no key.
ImportedServer read_wg_easy(std::string_view text);

}  // namespace wirelay::cli
