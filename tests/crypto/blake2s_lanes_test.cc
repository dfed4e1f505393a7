// Protects hashing side by side, from which all keys of handshakes that come together are made:
// each kernel agrees with libb2 for every number of messages, and so do hashes of every length, and
// the KDF of one to three outputs, with an output in the place of its key.
#include "crypto/blake2s_lanes.h"

#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/blake2s.h"
#include "crypto/lanes/cpu.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

/// Random messages, and the same in lanes.
template <size_t kBytes>
struct Messages {
  explicit Messages(Random& random) {
    for (size_t i = 0; i < kHashLanes; ++i) {
      fill_random(each[i], random);
      lanes.set(i, each[i].data());
    }
  }
  std::array<std::array<uint8_t, kBytes>, kHashLanes> each;
  Lanes<kBytes> lanes;
};

Bytes32 digest_of(const Lanes<32>& digests, size_t message) {
  Bytes32 out;
  digests.get(message, out.data());
  return out;
}

}  // namespace

class Blake2sLanesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Blake2sLanesTest);
  CPPUNIT_TEST(every_kernel);
  CPPUNIT_TEST(hashes_of_handshake_lengths);
  CPPUNIT_TEST(hashes_of_several_blocks);
  CPPUNIT_TEST(last_byte);
  CPPUNIT_TEST(kdf_of_all_forms);
  CPPUNIT_TEST_SUITE_END();

  /// One block that is the last, after one that is not.
  void every_kernel() {
    check_kernel(lanes::blake2s_sse2);
    if (lanes::cpu_has_avx2()) check_kernel(lanes::blake2s_avx2);
    if (lanes::cpu_has_avx512_ifma()) check_kernel(lanes::blake2s_avx512);
  }

  static void check_kernel(lanes::Blake2sCompress compress) {
    constexpr uint32_t kStart[8] = {0x6b08e647, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    Random random(61);
    for (size_t count = 1; count <= kHashLanes; ++count) {
      const Messages<64> first(random), second(random);
      Lanes<32> state;
      for (size_t i = 0; i < 8; ++i) std::ranges::fill(state.words()[i], kStart[i]);
      compress(state.words(), first.lanes.words(), 64, false, count);
      compress(state.words(), second.lanes.words(), 128, true, count);
      for (size_t i = 0; i < count; ++i) {
        CPPUNIT_ASSERT(digest_of(state, i) == blake2s({first.each[i], second.each[i]}));
      }
    }
  }

  template <size_t kBytes>
  static void check_hash_after_32() {
    Random random(62 + kBytes);
    for (const size_t count : {size_t{1}, size_t{5}, kHashLanes}) {
      const Messages<32> head(random);
      const Messages<kBytes> tail(random);
      Lanes<32> digests;
      LaneHash(count).add(head.lanes).add(tail.lanes).finish(digests);
      for (size_t i = 0; i < count; ++i) {
        CPPUNIT_ASSERT(digest_of(digests, i) == blake2s({head.each[i], tail.each[i]}));
      }
    }
  }

  void hashes_of_handshake_lengths() {
    check_hash_after_32<16>();
    check_hash_after_32<28>();
    check_hash_after_32<32>();
    check_hash_after_32<36>();
    check_hash_after_32<48>();
  }

  void hashes_of_several_blocks() {
    Random random(63);
    Messages<64> part(random);
    LaneHash hash(kHashLanes);
    Bytes one;
    for (int blocks = 1; blocks < 6; ++blocks) {
      hash.add(part.lanes);
      one.insert(one.end(), part.each[3].begin(), part.each[3].end());
      Lanes<32> digests;
      LaneHash(hash).finish(digests);
      CPPUNIT_ASSERT(digest_of(digests, 3) == blake2s({one}));
      if (blocks % 2 == 0) hash.settle();
    }
    Lanes<32> empty;
    LaneHash(2).finish(empty);
    CPPUNIT_ASSERT(digest_of(empty, 1) == blake2s({}));
  }

  void last_byte() {
    Random random(64);
    const Messages<32> head(random);
    Lanes<32> digests;
    LaneHash(kHashLanes).add(head.lanes).add_last_byte(0xfe).finish(digests);
    const uint8_t byte[1] = {0xfe};
    for (size_t i = 0; i < kHashLanes; ++i) {
      CPPUNIT_ASSERT(digest_of(digests, i) == blake2s({head.each[i], byte}));
    }
  }

  void kdf_of_all_forms() {
    Random random(65);
    for (const size_t outputs : {1, 2, 3}) {
      for (const bool with_input : {false, true}) {
        for (const size_t count : {size_t{1}, size_t{7}, kHashLanes}) {
          check_kdf(random, outputs, with_input, count);
        }
      }
    }
  }

  static void check_kdf(Random& random, size_t outputs, bool with_input, size_t count) {
    const Messages<32> input(random);
    Messages<32> key(random);
    Lanes<32> second, third;
    const Lanes<32>* in = with_input ? &input.lanes : nullptr;
    if (outputs == 1) kdf({&key.lanes}, key.lanes, in, count);
    if (outputs == 2) kdf({&key.lanes, &second}, key.lanes, in, count);
    if (outputs == 3) kdf({&key.lanes, &second, &third}, key.lanes, in, count);
    for (size_t i = 0; i < count; ++i) {
      Secret a, b, c;
      const ConstBytes bytes = with_input ? ConstBytes(input.each[i]) : ConstBytes();
      kdf({&a, &b, &c}, key.each[i], bytes);
      CPPUNIT_ASSERT(digest_of(key.lanes, i) == a.bytes());
      if (outputs > 1) CPPUNIT_ASSERT(digest_of(second, i) == b.bytes());
      if (outputs > 2) CPPUNIT_ASSERT(digest_of(third, i) == c.bytes());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Blake2sLanesTest);

}  // namespace wirelay::test
