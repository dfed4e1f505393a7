// QR codes (ISO/IEC 18004) of client files, for phones: in the terminal, and as pictures.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wirelay::cli {

inline constexpr ptrdiff_t kQrMargin = 4;  // modules, ISO/IEC 18004, 9.1

class QrCode {
 public:
  /// Throws Failure when `text` is too long for one (2,953 bytes).
  explicit QrCode(std::string_view text);

  [[nodiscard]] size_t size() const noexcept { return size_; }  // modules a side
  /// False outside: the light margin that readers need is everywhere around.
  [[nodiscard]] bool dark(ptrdiff_t x, ptrdiff_t y) const noexcept;

 private:
  size_t size_ = 0;
  std::vector<bool> dark_;
};

/// Two rows of modules a line, as half blocks (UTF-8); white on black by ANSI's colours, so that
/// the terminal's own do not matter.
std::string qr_terminal(const QrCode& code);
/// A picture, eight points a module.
std::string qr_svg(const QrCode& code);
std::string qr_png(const QrCode& code);

}  // namespace wirelay::cli
