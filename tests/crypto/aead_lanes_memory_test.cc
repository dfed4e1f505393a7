// Protects memory around packets and secrets after them: engines never touch a byte outside text
// and tag, shown with pages that may not be touched on both sides, and leave neither keys nor what
// is derived from them in their own memory or on the stack.
#include <algorithm>
#include <cstring>
#include <iostream>
#include <utility>

#include <cppunit/extensions/HelperMacros.h>
#include <malloc.h>
#include <sodium.h>

#include "crypto/aead.h"
#include "crypto/aead_single.h"
#include "crypto/wire.h"
#include "tests/crypto/private_stack.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

constexpr size_t kBurst = 20;  // two Poly1305 registers, and a group with strands

/// A burst of packets, each in pages of its own, at their begin or at their end.
struct GuardedBurst {
  GuardedBurst() {
    Random random(41);
    for (Bytes32& key : keys) fill_random(key, random);
    for (size_t i = 0; i < kBurst; ++i) pages.emplace_back(size_t{9100});
  }

  void place(const std::vector<uint32_t>& lengths, bool at_end) {
    packets.clear();
    for (size_t i = 0; i < lengths.size(); ++i) {
      const size_t bytes = lengths[i] + kTagBytes;
      uint8_t* text = at_end ? pages[i].end() - bytes : pages[i].begin();
      std::memset(text, static_cast<int>(i), bytes);
      packets.push_back({keys[i].data(), i, text, lengths[i], false});
    }
  }

  void seal_and_open(AeadEngine& engine) {
    engine.seal_burst(packets);
    engine.open_burst(packets);
    for (size_t i = 0; i < packets.size(); ++i) {
      const AeadPacket& packet = packets[i];
      CPPUNIT_ASSERT_MESSAGE(std::to_string(packet.length), packet.authentic);
      CPPUNIT_ASSERT(std::all_of(packet.text, packet.text + packet.length,
                                 [i](uint8_t byte) { return byte == i; }));
    }
  }

  std::array<Bytes32, kBurst> keys;
  std::vector<GuardedPages> pages;
  std::vector<AeadPacket> packets;
};

std::vector<std::unique_ptr<AeadEngine>> usable_engines() {
  std::vector<std::unique_ptr<AeadEngine>> engines;
  for (const EngineInfo& info : list_engines()) {
    if (info.usable) {
      engines.push_back(make_engine(info.name));
    } else {
      std::cout << " not on this processor: " << info.name;
    }
  }
  return engines;
}

/// The secrets of a burst of packets whose counters are their places, in the forms in which engines
/// hold them: as bytes, 16 at a time, as words of 4 packets side by side, and r in limbs, of 2
/// packets side by side in 64-bit lanes. Named, for the message.
class Secrets {
 public:
  explicit Secrets(std::span<const Bytes32> keys) {
    std::vector<std::array<uint8_t, 128>> blocks(keys.size());  // numbers 0 and 1 of each packet
    for (size_t i = 0; i < keys.size(); ++i) {
      uint8_t nonce[12] = {};
      store_le64(nonce + 4, i);
      crypto_stream_chacha20_ietf(blocks[i].data(), 128, nonce, keys[i].data());
      for (size_t at = 0; at < 32; at += 16) add("key", {keys[i].data() + at, 16});
      for (size_t at = 0; at < 128; at += 16) add("key stream", {blocks[i].data() + at, 16});
    }
    for (size_t i = 0; i + 4 <= keys.size(); i += 4) {
      for (size_t word = 0; word < 32; ++word) {
        if (word < 8)
          add_words("key plane", i, [&](size_t k) { return keys[k].data() + 4 * word; });
        add_words("key stream plane", i, [&](size_t k) { return blocks[k].data() + 4 * word; });
      }
      for (size_t k = i; k < i + 4; k += 2) add_limbs(blocks[k].data(), blocks[k + 1].data());
    }
  }

  /// Those that `memory` has, by name.
  [[nodiscard]] std::string find_in(std::span<const uint8_t> memory) const {
    std::string found;
    for (const auto& [name, bytes] : secrets_) {
      if (contains(memory, bytes) && found.find(name) == std::string::npos) found += " " + name;
    }
    return found;
  }

 private:
  void add(const std::string& name, std::span<const uint8_t> bytes) {
    secrets_.emplace_back(name, Bytes(bytes.begin(), bytes.end()));
  }

  template <class Word>
  void add_words(const std::string& name, size_t first, const Word& word) {
    uint8_t plane[16];
    for (size_t i = 0; i < 4; ++i) std::memcpy(plane + 4 * i, word(first + i), 4);
    add(name, plane);
  }

  /// r of two packets in limbs of 44 bits (AVX-512) and of 26 (AVX2).
  void add_limbs(const uint8_t* first, const uint8_t* second) {
    for (const int bits : {44, 26}) {
      for (int shift = 0; shift < 124; shift += bits) {
        const uint64_t limbs[2] = {r_limb(first, shift, bits), r_limb(second, shift, bits)};
        uint8_t bytes[16];
        std::memcpy(bytes, limbs, 16);
        add("r of " + std::to_string(bits) + " bits", bytes);
      }
    }
  }

  static uint64_t r_limb(const uint8_t* key, int shift, int bits) {
    __extension__ using Wide = unsigned __int128;
    uint64_t half[2];
    std::memcpy(half, key, 16);
    const Wide r = Wide{half[1] & 0x0ffffffc0ffffffc} << 64 | (half[0] & 0x0ffffffc0fffffff);
    return static_cast<uint64_t>(r >> shift) & ((uint64_t{1} << bits) - 1);
  }

  std::vector<std::pair<std::string, Bytes>> secrets_;
};

}  // namespace

class AeadLanesMemoryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AeadLanesMemoryTest);
  CPPUNIT_TEST(every_length_at_a_page_edge);
  CPPUNIT_TEST(mixed_lengths_at_a_page_edge);
  CPPUNIT_TEST(every_alignment);
  CPPUNIT_TEST(no_secret_stays);
  CPPUNIT_TEST_SUITE_END();

  void every_length_at_a_page_edge() {
    GuardedBurst burst;
    for (const auto& engine : usable_engines()) {
      for (uint32_t length = 0; length <= 2100; ++length) {
        for (const bool at_end : {false, true}) {
          burst.place(std::vector<uint32_t>(8, length), at_end);
          burst.seal_and_open(*engine);
        }
      }
    }
  }

  void mixed_lengths_at_a_page_edge() {
    GuardedBurst burst;
    for (const auto& engine : usable_engines()) {
      Random random(42);
      for (int round = 0; round < 300; ++round) {
        std::vector<uint32_t> lengths(1 + random() % kBurst);
        for (uint32_t& length : lengths) {
          length = static_cast<uint32_t>(random() % (random() % 3 == 0 ? 9000 : 200));
        }
        burst.place(lengths, round % 2 == 0);
        burst.seal_and_open(*engine);
      }
    }
  }

  void every_alignment() {
    GuardedBurst burst;
    for (const auto& engine : usable_engines()) {
      for (size_t alignment = 0; alignment < 64; ++alignment) {
        for (const uint32_t length : {1u, 63u, 64u, 65u, 576u, 1420u}) {
          burst.place(std::vector<uint32_t>(9, length), false);
          for (size_t i = 0; i < burst.packets.size(); ++i) {
            uint8_t* text = burst.pages[i].begin() + alignment;
            std::memset(text, static_cast<int>(i), length);
            burst.packets[i].text = text;
          }
          burst.seal_and_open(*engine);
        }
      }
    }
  }

  /// Neither in the engine's memory nor on the stack of the thread that used it. Bursts of short
  /// texts, of long ones, and of mixed ones take different ways through the kernels.
  void no_secret_stays() {
    for (const char* name : {"avx512-ifma", "avx2"}) {
      for (const bool open : {false, true}) {
        check_no_secret_stays(name, std::vector<uint32_t>(kBurst, 64), open);
        check_no_secret_stays(name, std::vector<uint32_t>(kBurst, 300), open);
        std::vector<uint32_t> mixed(kBurst, 90);
        for (size_t i = 0; i < kBurst; i += 3) mixed[i] = static_cast<uint32_t>(100 * i);
        check_no_secret_stays(name, mixed, open);
      }
    }
  }

  static void check_no_secret_stays(const std::string& name, const std::vector<uint32_t>& lengths,
                                    bool open) {
    const std::vector<EngineInfo> engines = list_engines();
    if (std::ranges::none_of(
            engines, [&](const EngineInfo& info) { return info.usable && info.name == name; })) {
      return;
    }
    const auto engine = make_engine(name);
    GuardedBurst burst;
    burst.place(lengths, false);
    PrivateStack stack;
    stack.run(
        [&] { open ? engine->open_burst(burst.packets) : engine->seal_burst(burst.packets); });
    const auto* object = static_cast<const uint8_t*>(dynamic_cast<const void*>(engine.get()));
    const std::span<const uint8_t> memory(object, malloc_usable_size(const_cast<uint8_t*>(object)));
    const Secrets secrets(burst.keys);
    const std::string what = name + (open ? ", open, " : ", seal, ") + std::to_string(lengths[1]);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, std::string(), secrets.find_in(memory));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their frames are larger
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, std::string(), secrets.find_in(stack.memory()));
#endif
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadLanesMemoryTest);

}  // namespace wirelay::test
