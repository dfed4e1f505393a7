// Files that relayctl reads and writes.
#pragma once

#include <iosfwd>
#include <string>

namespace wirelay::cli {

/// What messages call a file that is read.
std::string file_name(const std::string& path);

/// The whole file; "-" is `in`. Throws Failure with its name.
std::string read_file(const std::string& path, std::istream& in);

/// A key of 32 bytes in base64, alone in the file but for blanks. Throws Failure, which does not
/// repeat what was found.
std::string read_key(const std::string& path, std::istream& in);

/// Writes a file with mode 0600 in one step: whoever reads it sees the old one or the new one,
/// whole. A link stays, and what it leads to is replaced; a link to nothing is refused. What is no
/// regular file (a pipe, a device) is written to as it is. "-" is `out`, as is any name of what
/// standard output leads to. Throws Failure.
void write_secret_file(const std::string& path, const std::string& text, std::ostream& out);

}  // namespace wirelay::cli
