// A QR code as PNG (W3C, second edition): one bit a point, and not compressed, so that no library
// is needed for it: about 35 KB.
#include <algorithm>
#include <array>
#include <cstdint>

#include "cli/qr.h"

namespace wirelay::cli {

namespace {

constexpr size_t kScale = 8;  // points of a module

std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

/// CRC-32 as in annex D.
uint32_t crc_of(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

/// RFC 1950, 8.2.
uint32_t adler_of(std::string_view bytes) {
  constexpr uint32_t kPrime = 65521;
  uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<uint8_t>(byte)) % kPrime;
    b = (b + a) % kPrime;
  }
  return b << 16 | a;
}

std::string chunk(std::string_view type, const std::string& data) {
  const std::string body = std::string(type) + data;
  return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(crc_of(body));
}

/// Stored blocks (RFC 1951, 3.2.4) in a stream of RFC 1950.
std::string stored(std::string_view data) {
  constexpr size_t kMost = 65535;
  std::string stream = "\x78\x01";
  const uint32_t sum = adler_of(data);
  while (true) {
    const std::string_view block = data.substr(0, kMost);
    data.remove_prefix(block.size());
    stream += data.empty() ? '\1' : '\0';
    for (const size_t length : {block.size(), ~block.size()}) {
      stream += static_cast<char>(length);
      stream += static_cast<char>(length >> 8);
    }
    stream += block;
    if (data.empty()) return stream + big_endian(sum);
  }
}

/// With the filter's byte in front. A point that is set is white.
std::string row_of(const QrCode& code, ptrdiff_t y, size_t points) {
  std::string row(1 + points / 8, '\0');
  for (size_t x = 0; x < points; ++x) {
    const auto module = static_cast<ptrdiff_t>(x / kScale) - kQrMargin;
    if (code.dark(module, y)) continue;
    char& byte = row[1 + x / 8];
    byte = static_cast<char>(byte | 0x80 >> x % 8);
  }
  return row;
}

}  // namespace

std::string qr_png(const QrCode& code) {
  const size_t modules = code.size() + 2 * static_cast<size_t>(kQrMargin),
               points = modules * kScale;
  std::string picture;
  for (size_t y = 0; y < modules; ++y) {
    const auto module = static_cast<ptrdiff_t>(y) - kQrMargin;
    const std::string row = row_of(code, module, points);
    for (size_t i = 0; i < kScale; ++i) picture += row;
  }
  const std::string size = big_endian(static_cast<uint32_t>(points));
  const std::string header = size + size + std::string("\1\0\0\0\0", 5);  // one bit, grey
  return std::string("\x89PNG\r\n\x1a\n") + chunk("IHDR", header) + chunk("IDAT", stored(picture)) +
         chunk("IEND", "");
}

}  // namespace wirelay::cli
