// libqrencode makes the code; what is around it is drawn here.
#include "cli/qr.h"

#include <memory>

#include <fmt/format.h>
#include <qrencode.h>

#include "cli/errors.h"
#include "crypto/keys.h"

namespace wirelay::cli {

namespace {

struct QrFree {
  void operator()(QRcode* code) const noexcept {
    // Keys are in it.
    crypto::wipe(code->data, static_cast<size_t>(code->width) * static_cast<size_t>(code->width));
    QRcode_free(code);
  }
};

constexpr const char* kWhiteOnBlack = "\033[40;97m";
constexpr const char* kAsBefore = "\033[0m";

/// Light modules are drawn, dark ones are left.
const char* half_blocks(bool upper_light, bool lower_light) {
  if (upper_light) return lower_light ? "█" : "▀";
  return lower_light ? "▄" : " ";
}

}  // namespace

QrCode::QrCode(std::string_view text) {
  const std::unique_ptr<QRcode, QrFree> code(
      QRcode_encodeData(static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_L));
  if (!code) throw Failure(fmt::format("{} bytes are too long for a QR code", text.size()));
  size_ = static_cast<size_t>(code->width);
  dark_.resize(size_ * size_);
  for (size_t i = 0; i < dark_.size(); ++i) dark_[i] = (code->data[i] & 1) != 0;
}

bool QrCode::dark(ptrdiff_t x, ptrdiff_t y) const noexcept {
  const auto side = static_cast<ptrdiff_t>(size_);
  return x >= 0 && y >= 0 && x < side && y < side && dark_[static_cast<size_t>(y * side + x)];
}

std::string qr_terminal(const QrCode& code) {
  const ptrdiff_t end = static_cast<ptrdiff_t>(code.size()) + kQrMargin;
  std::string text;
  for (ptrdiff_t y = -kQrMargin; y < end; y += 2) {
    text += kWhiteOnBlack;
    for (ptrdiff_t x = -kQrMargin; x < end; ++x) {
      text += half_blocks(!code.dark(x, y), !code.dark(x, y + 1));
    }
    text.append(kAsBefore) += '\n';
  }
  return text;
}

/// Each run of dark modules in a row is a rectangle of one path.
std::string qr_svg(const QrCode& code) {
  const auto side = static_cast<ptrdiff_t>(code.size());
  const ptrdiff_t whole = side + 2 * kQrMargin;
  std::string path;
  for (ptrdiff_t y = 0; y < side; ++y) {
    for (ptrdiff_t x = 0; x < side; ++x) {
      if (!code.dark(x, y)) continue;
      const ptrdiff_t begin = x;
      while (code.dark(x, y)) ++x;
      path += fmt::format("M{} {}h{}v1H{}z", begin + kQrMargin, y + kQrMargin, x - begin,
                          begin + kQrMargin);
    }
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" width=\"{1}\" "
      "height=\"{1}\" shape-rendering=\"crispEdges\">\n"
      "<path fill=\"#fff\" d=\"M0 0h{0}v{0}H0z\"/>\n<path d=\"{2}\"/>\n</svg>\n",
      whole, 8 * whole, path);
}

}  // namespace wirelay::cli
