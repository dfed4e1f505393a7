// In which forms a client file is handed out: as text, and as a QR code for a phone.
#pragma once

#include <string>

#include "cli/command.h"

namespace wirelay::cli {

/// --qr, --qr-png, --qr-svg.
void describe_qr(po::options_description_easy_init& add);
/// One of them was given.
bool wants_qr(const Call& call);

/// Writes `file`, a client file: the QR codes that were asked for; as text where --output says, or,
/// without either, to standard output. Files have mode 0600. Throws Failure, also when a QR code
/// was asked for and the file has no private key: a phone would take it, and fail.
void hand_out_file(Call& call, const std::string& file);

}  // namespace wirelay::cli
