// What the fuzz targets share: vectors from hex.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace wirelay::test {

constexpr uint8_t hex_digit(char digit) {
  return static_cast<uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/// `hex` holds exactly 2 * Size lowercase digits.
template <size_t Size>
constexpr std::array<uint8_t, Size> hex_array(std::string_view hex) {
  std::array<uint8_t, Size> bytes{};
  for (size_t i = 0; i < Size; ++i) {
    bytes[i] = static_cast<uint8_t>(hex_digit(hex.at(2 * i)) << 4 | hex_digit(hex.at(2 * i + 1)));
  }
  return bytes;
}

}  // namespace wirelay::test
