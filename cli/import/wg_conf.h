// A server's configuration as wg(8) and wg-quick(8) read it: wg0.conf.
#pragma once

#include <string_view>

#include "cli/import/imported.h"

namespace wirelay::cli {

/// Keys and sections in any case, comments, blank lines, CRLF and a byte order mark are as these
/// programs take them. A peer's name is the comment above or at the head of its section. Throws
/// Failure: "line 7: ...", which repeats no key.
ImportedServer read_wg_conf(std::string_view text);

}  // namespace wirelay::cli
