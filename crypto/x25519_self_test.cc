// What an X25519 engine must get right before it may touch a handshake.
#include <algorithm>
#include <array>

#include "crypto/keys.h"
#include "crypto/x25519_engines.h"

namespace wirelay::crypto {

namespace {

struct KnownAnswer {
  Bytes32 scalar, point, product;
};

// RFC 7748, section 5.2.
constexpr KnownAnswer kKnown = {{0xa5, 0x46, 0xe3, 0x6b, 0xf0, 0x52, 0x7c, 0x9d, 0x3b, 0x16, 0x15,
                                 0x4b, 0x82, 0x46, 0x5e, 0xdd, 0x62, 0x14, 0x4c, 0x0a, 0xc1, 0xfc,
                                 0x5a, 0x18, 0x50, 0x6a, 0x22, 0x44, 0xba, 0x44, 0x9a, 0xc4},
                                {0xe6, 0xdb, 0x68, 0x67, 0x58, 0x30, 0x30, 0xdb, 0x35, 0x94, 0xc1,
                                 0xa4, 0x24, 0xb1, 0x5f, 0x7c, 0x72, 0x66, 0x24, 0xec, 0x26, 0xb3,
                                 0x35, 0x3b, 0x10, 0xa9, 0x03, 0xa6, 0xd0, 0xab, 0x1c, 0x4c},
                                {0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90, 0x8e, 0x94, 0xea,
                                 0x4d, 0xf2, 0x8d, 0x08, 0x4f, 0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c,
                                 0x71, 0xf7, 0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52}};

// Section 6.1: Alice's keys.
constexpr KnownAnswer kKnownKeys = {
    {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
     0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
     0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a},
    {},
    {0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
     0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
     0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a}};

std::string test_known_answers(const X25519Engine& engine) {
  Bytes32 product{}, key{};
  std::array<X25519Job, 2> jobs = {
      X25519Job{kKnown.scalar.data(), kKnown.point.data(), product.data(), false},
      X25519Job{kKnownKeys.scalar.data(), nullptr, key.data(), false}};
  engine.multiply_burst(jobs);
  if (product != kKnown.product || !jobs[0].usable) return "wrong product for the known answer";
  if (key != kKnownKeys.product || !jobs[1].usable) return "wrong public key for the known answer";
  return {};
}

constexpr size_t kMostJobs = 70;  // more than a call of any kernel takes

/// Jobs whose points are of all kinds: random, small, around p and 2^255, the base point.
struct Jobs {
  explicit Jobs(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      for (size_t k = 0; k < 32; ++k) {
        scalars[i][k] = static_cast<uint8_t>(i * 57 + k * 101 + (k * i >> 3) + count);
        points[i][k] = static_cast<uint8_t>(i * 83 + k * 59 + (k * i >> 2) + count);
      }
      if (i % 5 == 1) points[i].fill(0xff);
      if (i % 5 == 1) points[i][0] = static_cast<uint8_t>(0xe0 + i % 32);
      if (i % 5 == 1 && i % 2 == 0) points[i][31] = 0x7f;
      if (i % 5 == 2) points[i] = Bytes32{static_cast<uint8_t>(i % 16)};
      if (i % 7 == 3) scalars[i].fill(i % 2 == 0 ? 0 : 0xff);
      jobs.push_back(
          {scalars[i].data(), i % 3 == 2 ? nullptr : points[i].data(), outs[i].data(), false});
    }
  }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  std::array<Bytes32, kMostJobs> scalars{}, points{}, outs{};
  std::vector<X25519Job> jobs;
};

/// Points 0, 1, p - 1, p and p + 1 are among them, which must come out as zeros.
std::string test_against_reference(const X25519Engine& engine) {
  const auto reference = make_sodium_x25519_engine();
  for (const size_t count : {size_t{1}, size_t{3}, size_t{17}, kMostJobs}) {
    Jobs tried(count), expected(count);
    engine.multiply_burst(tried.jobs);
    reference->multiply_burst(expected.jobs);
    for (size_t i = 0; i < count; ++i) {
      if (tried.outs[i] != expected.outs[i]) {
        return "unlike libsodium at " + std::to_string(i) + " of " + std::to_string(count);
      }
      if (tried.jobs[i].usable != expected.jobs[i].usable) {
        return "low-order point taken for another at " + std::to_string(i);
      }
    }
  }
  return {};
}

}  // namespace

std::string self_test(const X25519Engine& engine) {
  std::string fault = test_known_answers(engine);
  if (fault.empty()) fault = test_against_reference(engine);
  return fault;
}

}  // namespace wirelay::crypto
