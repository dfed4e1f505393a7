// Hex, seeded bytes and Wycheproof files for the tests of this layer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <json/value.h>

#include "crypto/keys.h"

namespace wirelay::test {

using Bytes = std::vector<uint8_t>;

Bytes from_hex(std::string_view hex);
std::string to_hex(std::span<const uint8_t> bytes);
crypto::Bytes32 bytes32(std::string_view hex);

/// `count` bytes 0, 1, 2, ...
Bytes sequence(size_t count);

using Random = std::mt19937_64;
void fill_random(std::span<uint8_t> bytes, Random& random);

/// Calls `run` for each test of a Wycheproof file whose group has this ivSize (0: any). The file is
/// sought in $WIRELAY_VECTORS, then in ../shared/vectors beside the source. Returns how many ran;
/// 0, with a line that says what to do, when there is no such file.
size_t for_each_wycheproof(const std::string& file, unsigned iv_bits,
                           const std::function<void(const Json::Value& test)>& run);

}  // namespace wirelay::test
