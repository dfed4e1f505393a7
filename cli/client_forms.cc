// Options, and who gets what.
#include "cli/client_forms.h"

#include <sstream>

#include "cli/errors.h"
#include "cli/files.h"
#include "cli/qr.h"

namespace wirelay::cli {

namespace {

/// Without comments, which would only make the code larger.
std::string for_a_phone(const std::string& file) {
  std::istringstream lines(file);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# PrivateKey")) {
      throw Failure(
          "a phone needs the private key, which is in no QR code yet: name it with "
          "--private-key-file, or have a new one made by \"relayctl peer rotate\"");
    }
    if (!line.empty() && line[0] != '#') text += line + '\n';
  }
  return text;
}

}  // namespace

void describe_qr(po::options_description_easy_init& add) {
  const auto file = [] { return po::value<std::string>()->value_name("FILE"); };
  add("qr", "show the client file as a QR code, for a phone")          //
      ("qr-png", file(), "write the QR code as a picture, mode 0600")  //
      ("qr-svg", file(), "the same, as SVG");
}

bool wants_qr(const Call& call) {
  return call.has("qr") || call.has("qr-png") || call.has("qr-svg");
}

void hand_out_file(Call& call, const std::string& file) {
  if (wants_qr(call)) {
    const QrCode code(for_a_phone(file));
    if (const auto picture = call.text("qr-png")) {
      write_secret_file(*picture, qr_png(code), call.out);
    }
    if (const auto picture = call.text("qr-svg")) {
      write_secret_file(*picture, qr_svg(code), call.out);
    }
    if (call.has("qr")) call.out << qr_terminal(code);
  }
  const auto output = call.text("output");
  if (output || !wants_qr(call)) write_secret_file(output.value_or("-"), file, call.out);
}

}  // namespace wirelay::cli
