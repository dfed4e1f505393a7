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
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/aead.h"
#include "crypto/aead_single.h"
#include "crypto/wire.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

/// Pages that may be used, between two that may not.
class GuardedPages {
 public:
  explicit GuardedPages(size_t bytes)
      : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        bytes_((bytes + page_ - 1) / page_ * page_) {
    void* memory = mmap(nullptr, bytes_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CPPUNIT_ASSERT(memory != MAP_FAILED);
    base_ = static_cast<uint8_t*>(memory);
    CPPUNIT_ASSERT_EQUAL(0, mprotect(begin(), bytes_, PROT_READ | PROT_WRITE));
  }
  ~GuardedPages() { munmap(base_, bytes_ + 2 * page_); }
  GuardedPages(GuardedPages&& other) noexcept
      : page_(other.page_), bytes_(other.bytes_), base_(std::exchange(other.base_, nullptr)) {}
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  [[nodiscard]] uint8_t* begin() const { return base_ + page_; }
  [[nodiscard]] uint8_t* end() const { return begin() + bytes_; }

 private:
  size_t page_, bytes_;
  uint8_t* base_ = nullptr;
};

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

bool contains(std::span<const uint8_t> memory, std::span<const uint8_t> secret) {
  return memmem(memory.data(), memory.size(), secret.data(), secret.size()) != nullptr;
}

/// What the stack below the caller holds; nothing is written there meanwhile but this frame.
[[gnu::noinline, gnu::no_sanitize("address")]] void copy_stack_below(std::span<uint8_t> copy) {
  const auto* top = static_cast<const volatile uint8_t*>(__builtin_frame_address(0)) - 512;
  for (size_t i = 0; i < copy.size(); ++i) copy[i] = top[-static_cast<ptrdiff_t>(i) - 1];
  std::ranges::reverse(copy);
}

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

  /// Looks for keys, Poly1305 keys and key stream, 16 bytes of each as they stand in memory and the
  /// four words of 16 packets' keys as planes hold them.
  void no_secret_stays() {
    std::vector<uint8_t> stack(16384);
    for (const EngineInfo& info : list_engines()) {
      if (!info.usable || (info.name != "avx512-ifma" && info.name != "avx2")) continue;
      const auto engine = make_engine(info.name);
      GuardedBurst burst;
      burst.place(std::vector<uint32_t>(kBurst, 300), false);
      engine->seal_burst(burst.packets);
      copy_stack_below(stack);
      const auto* object = static_cast<const uint8_t*>(dynamic_cast<const void*>(engine.get()));
      const std::span<const uint8_t> memory(object,
                                            malloc_usable_size(const_cast<uint8_t*>(object)));
      for (size_t i = 0; i < kBurst; ++i) {
        uint8_t nonce[12] = {}, block[64] = {};
        store_le64(nonce + 4, i);
        crypto_stream_chacha20_ietf(block, sizeof block, nonce, burst.keys[i].data());
        const uint8_t* const secrets[] = {burst.keys[i].data(), block, block + 16, block + 32};
        for (const uint8_t* secret : secrets) {
          CPPUNIT_ASSERT_MESSAGE(info.name, !contains(memory, {secret, 16}));
          CPPUNIT_ASSERT_MESSAGE(info.name, !contains(stack, {secret, 16}));
        }
      }
      for (size_t word = 0; word < 8; ++word) {
        uint8_t plane[16];
        for (size_t i = 0; i < 4; ++i) std::memcpy(plane + 4 * i, &burst.keys[i][4 * word], 4);
        CPPUNIT_ASSERT_MESSAGE(info.name, !contains(memory, plane));
        CPPUNIT_ASSERT_MESSAGE(info.name, !contains(stack, plane));
      }
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadLanesMemoryTest);

}  // namespace wirelay::test
