// Protects the ChaCha20 kernels on their own: RFC 8439's vectors in every lane, and libsodium's key
// stream for any key, counter and block number.
#include <functional>
#include <iostream>

#include <cppunit/extensions/HelperMacros.h>
#include <sodium.h>

#include "crypto/lanes/chacha20_avx2.h"
#include "crypto/lanes/chacha20_avx512.h"
#include "crypto/lanes/cpu.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto::lanes;

namespace {

/// One block of key stream as a kernel is asked for it.
struct Block {
  Bytes key;
  uint64_t counter;
  uint32_t number;
  Bytes stream;  // expected
};

/// RFC 8439, appendix A.1, as far as nonces are of our form: the first four bytes zero.
std::vector<Block> rfc_blocks() {
  Bytes zero(32), one(32), ff(32);
  one[31] = 1;
  ff[1] = 0xff;
  const auto stream = [](const char* hex) { return from_hex(hex); };
  return {
      {zero, 0, 0,
       stream("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
              "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586")},
      {zero, 0, 1,
       stream("9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
              "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f")},
      {one, 0, 1,
       stream("3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
              "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0")},
      {ff, 0, 2,
       stream("72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
              "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096")},
      {zero, uint64_t{2} << 56, 0,
       stream("c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
              "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d")},
  };
}

Block random_block(Random& random) {
  static constexpr uint32_t kMost = UINT32_MAX >> kJobNumberShift;
  static constexpr uint32_t kNumbers[] = {0, 1, 2, 255, 256, 65536, kMost - 1, kMost};
  Block block{Bytes(32), random() >> random() % 64, kNumbers[random() % std::size(kNumbers)],
              Bytes(kBlockBytes)};
  fill_random(block.key, random);
  uint8_t nonce[12] = {};
  for (int i = 0; i < 8; ++i) nonce[4 + i] = static_cast<uint8_t>(block.counter >> (8 * i));
  crypto_stream_chacha20_ietf_xor_ic(block.stream.data(), block.stream.data(), kBlockBytes, nonce,
                                     block.number, block.key.data());
  return block;
}

/// A kernel: computes the first set of a plan, whose lanes are all text, and XORs it into the
/// texts.
struct Kernel {
  const char* name;
  uint32_t lanes;
  bool usable;
  std::function<void(Plan&)> run;
};

KeyPlanes planes;
KeyStream stream, other;
PolyKeys keys;

/// Keys are loaded for the packets of a plan; to the other functions, blocks of packets are text.
void load_avx512(Plan& plan) {
  plan.packets = kMaxLanes;
  chacha20_load_avx512(plan, planes, stream);
  plan.packets = 0;
}

void run_avx512(Plan& plan) {
  load_avx512(plan);
  chacha20_avx512(planes, plan, 0, stream, other, keys);
  chacha20_finish_avx512(plan, 0, stream);
}

/// The same by way of the call that computes the set after it meanwhile.
void run_avx512_beside(Plan& plan) {
  load_avx512(plan);
  chacha20_avx512(planes, plan, 0, stream, other, keys);
  chacha20_avx512(planes, plan, kMaxLanes, other, stream, keys);
}

void run_avx2(Plan& plan) {
  chacha20_avx2(plan, 0, stream);
  chacha20_finish_avx2(plan, 0, stream);
}

std::vector<Kernel> kernels() {
  return {{"avx512", 16, cpu_has_avx512_ifma(), run_avx512},
          {"avx512 beside the next set", 16, cpu_has_avx512_ifma(), run_avx512_beside},
          {"avx2", 8, cpu_has_avx2(), run_avx2}};
}

/// Runs a kernel with the blocks in its lanes, each over `bytes` zeros, and compares. `masks` says
/// that lanes may have partial blocks.
void check(const Kernel& kernel, const std::vector<Block>& blocks, uint32_t bytes, bool masks) {
  static Plan plan;
  plan = {};
  plan.jobs = kernel.lanes;
  plan.first_whole = masks ? kernel.lanes : 0;
  std::vector<Bytes> texts(kernel.lanes, Bytes(kBlockBytes));
  for (uint32_t lane = 0; lane < kernel.lanes; ++lane) {
    const Block& block = blocks[lane];
    plan.key[lane] = block.key.data();
    plan.counter[0][lane] = static_cast<uint32_t>(block.counter);
    plan.counter[1][lane] = static_cast<uint32_t>(block.counter >> 32);
    plan.job[lane] = lane | block.number << kJobNumberShift;
    plan.base[lane] = reinterpret_cast<uintptr_t>(texts[lane].data()) - lane * kBlockBytes;
    plan.block_bytes[lane] = bytes;
  }
  kernel.run(plan);
  for (uint32_t lane = 0; lane < kernel.lanes; ++lane) {
    Bytes expected(kBlockBytes);
    std::copy_n(blocks[lane].stream.begin(), bytes, expected.begin());
    CPPUNIT_ASSERT_EQUAL_MESSAGE(kernel.name + std::string(" lane ") + std::to_string(lane),
                                 to_hex(expected), to_hex(texts[lane]));
  }
}

}  // namespace

class AeadLanesChacha20Test : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AeadLanesChacha20Test);
  CPPUNIT_TEST(rfc_vectors_in_every_lane);
  CPPUNIT_TEST(against_libsodium);
  CPPUNIT_TEST(every_number_of_bytes);
  CPPUNIT_TEST_SUITE_END();

  static void for_each_kernel(const std::function<void(const Kernel&)>& run) {
    for (const Kernel& kernel : kernels()) {
      if (kernel.usable) {
        run(kernel);
      } else {
        std::cout << " not on this processor: " << kernel.name;
      }
    }
  }

  void rfc_vectors_in_every_lane() {
    const auto vectors = rfc_blocks();
    for_each_kernel([&](const Kernel& kernel) {
      for (size_t turn = 0; turn < vectors.size(); ++turn) {
        std::vector<Block> blocks;
        for (uint32_t lane = 0; lane < kernel.lanes; ++lane) {
          blocks.push_back(vectors[(lane + turn) % vectors.size()]);
        }
        check(kernel, blocks, kBlockBytes, false);
      }
    });
  }

  void against_libsodium() {
    for_each_kernel([](const Kernel& kernel) {
      Random random(21);
      for (int round = 0; round < 500; ++round) {
        std::vector<Block> blocks;
        for (uint32_t lane = 0; lane < kernel.lanes; ++lane) blocks.push_back(random_block(random));
        check(kernel, blocks, kBlockBytes, round % 2 == 0);
      }
    });
  }

  void every_number_of_bytes() {
    for_each_kernel([](const Kernel& kernel) {
      Random random(22);
      for (uint32_t bytes = 1; bytes <= kBlockBytes; ++bytes) {
        std::vector<Block> blocks;
        for (uint32_t lane = 0; lane < kernel.lanes; ++lane) blocks.push_back(random_block(random));
        check(kernel, blocks, bytes, true);
      }
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadLanesChacha20Test);

}  // namespace wirelay::test
