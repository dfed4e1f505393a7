// Hex, seeded bytes and Wycheproof files.
#include "tests/crypto/test_bytes.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numeric>
#include <stdexcept>

#include <json/reader.h>

namespace wirelay::test {

namespace {

uint8_t nibble(char digit) {
  const size_t value = std::string_view("0123456789abcdef").find(digit);
  if (value == std::string_view::npos) throw std::invalid_argument("not a hex digit");
  return static_cast<uint8_t>(value);
}

std::string vectors_folder() {
  const char* named = std::getenv("WIRELAY_VECTORS");
  return named != nullptr ? named : WIRELAY_SOURCE_ROOT "/../shared/vectors";
}

}  // namespace

Bytes from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("odd number of hex digits");
  Bytes bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(nibble(hex[i]) << 4 | nibble(hex[i + 1])));
  }
  return bytes;
}

std::string to_hex(std::span<const uint8_t> bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

crypto::Bytes32 bytes32(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  crypto::Bytes32 out;
  if (bytes.size() != out.size()) throw std::invalid_argument("not 32 bytes");
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

Bytes sequence(size_t count) {
  Bytes bytes(count);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  return bytes;
}

void fill_random(std::span<uint8_t> bytes, Random& random) {
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
}

size_t for_each_wycheproof(const std::string& file, unsigned iv_bits,
                           const std::function<void(const Json::Value& test)>& run) {
  std::ifstream in(vectors_folder() + "/" + file);
  if (!in) {
    std::cout << " skipped: no " << file << " in " << vectors_folder()
              << "; set WIRELAY_VECTORS to the folder testvectors_v1 of C2SP/wycheproof";
    return 0;
  }
  Json::Value root;
  in >> root;
  size_t ran = 0;
  for (const Json::Value& group : root["testGroups"]) {
    if (iv_bits != 0 && group["ivSize"].asUInt() != iv_bits) continue;
    for (const Json::Value& test : group["tests"]) {
      run(test);
      ++ran;
    }
  }
  if (ran == 0) throw std::runtime_error(file + " holds no test that applies");
  return ran;
}

}  // namespace wirelay::test
