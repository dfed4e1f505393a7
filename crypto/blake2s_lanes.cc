// Hashing side by side.
#include "crypto/blake2s_lanes.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "crypto/blake2s.h"
#include "crypto/lanes/cpu.h"

namespace wirelay::crypto {

namespace {

constexpr uint32_t kBlake2sStart[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
/// Digests of 32 bytes, no key, no tree.
constexpr uint32_t kParameters = 32 | 1 << 16 | 1 << 24;
constexpr size_t kBlockWords = 16;

constexpr uint8_t kInnerLanePad = 0x36;
constexpr uint8_t kOuterLanePad = 0x5c;

struct KernelRow {
  std::string_view name;
  bool (*usable)() noexcept;
  lanes::Blake2sCompress compress;
};

/// THE list, widest first.
constexpr KernelRow kBlake2sKernels[] = {
    {"avx512", lanes::cpu_has_avx512_ifma, lanes::blake2s_avx512},
    {"avx2", lanes::cpu_has_avx2, lanes::blake2s_avx2},
    {"sse2", []() noexcept { return true; }, lanes::blake2s_sse2},
};

void start_hash(Lanes<32>& state) noexcept {
  for (size_t i = 0; i < 8; ++i) {
    std::ranges::fill(state.words()[i], kBlake2sStart[i] ^ (i == 0 ? kParameters : 0));
  }
}

/// One block of 64 bytes in every lane, all different.
bool agrees_with_libb2(const KernelRow& row) noexcept {
  std::array<std::array<uint8_t, 64>, kHashLanes> messages;
  Lanes<64> block;
  for (size_t lane = 0; lane < kHashLanes; ++lane) {
    for (size_t i = 0; i < 64; ++i) messages[lane][i] = static_cast<uint8_t>(lane * 41 + i * 7);
    block.set(lane, messages[lane].data());
  }
  Lanes<32> state;
  start_hash(state);
  row.compress(state.words(), block.words(), 64, true, kHashLanes);
  for (size_t lane = 0; lane < kHashLanes; ++lane) {
    Bytes32 digest;
    state.get(lane, digest.data());
    if (digest != blake2s({messages[lane]})) return false;
  }
  return true;
}

const KernelRow& kernel() noexcept {
  static const KernelRow& chosen = []() -> const KernelRow& {
    for (const KernelRow& row : kBlake2sKernels) {
      if (row.usable() && agrees_with_libb2(row)) return row;
    }
    return *std::prev(std::end(kBlake2sKernels));
  }();
  return chosen;
}

}  // namespace

std::string_view blake2s_kernel_name() noexcept { return kernel().name; }

LaneHash::LaneHash(size_t messages) noexcept : messages_(messages) { start_hash(state_); }

void LaneHash::compress(bool last) noexcept {
  kernel().compress(state_.words(), block_.words(), bytes_, last, messages_);
  filled_ = 0;
}

LaneHash& LaneHash::settle() noexcept {
  if (filled_ == kBlockWords) compress(false);
  return *this;
}

void LaneHash::add_word(const uint32_t (&word)[kHashLanes]) noexcept {
  settle();
  std::memcpy(block_.words()[filled_++], word, sizeof word);
  bytes_ += sizeof(uint32_t);
}

LaneHash& LaneHash::add_padded(const Lanes<32>& key, uint8_t pad) noexcept {
  const uint32_t pads = pad * 0x01010101u;
  Lanes<64> padded;
  for (size_t i = 0; i < kBlockWords; ++i) {
    for (size_t lane = 0; lane < kHashLanes; ++lane) {
      padded.words()[i][lane] = pads ^ (i < key.kWords ? key.words()[i][lane] : 0);
    }
  }
  return add(padded);
}

LaneHash& LaneHash::add_last_byte(uint8_t byte) noexcept {
  uint32_t word[kHashLanes];
  std::ranges::fill(word, byte);
  add_word(word);
  bytes_ -= sizeof(uint32_t) - 1;
  return *this;
}

void LaneHash::finish(Lanes<32>& out) noexcept {
  for (; filled_ < kBlockWords; ++filled_) std::ranges::fill(block_.words()[filled_], 0);
  compress(true);
  out = state_;
}

namespace {

/// HMAC's two hashes after their blocks of key, from which each message goes on.
class LaneHmac {
 public:
  LaneHmac(const Lanes<32>& key, size_t messages) noexcept : inner_(messages), outer_(messages) {
    inner_.add_padded(key, kInnerLanePad);
    outer_.add_padded(key, kOuterLanePad).settle();
  }
  /// What is to be authenticated is added to it, and given to finish().
  [[nodiscard]] LaneHash begin() const noexcept { return inner_; }
  void finish(LaneHash& inner, Lanes<32>& out) const noexcept {
    Lanes<32> digest;
    inner.finish(digest);
    LaneHash(outer_).add(digest).finish(out);
  }
  /// No message is empty.
  void settle() noexcept { inner_.settle(); }

 private:
  LaneHash inner_, outer_;
};

}  // namespace

void kdf(std::initializer_list<Lanes<32>*> outputs, const Lanes<32>& key, const Lanes<32>* input,
         size_t messages) noexcept {
  Lanes<32> extracted, block;
  {
    const LaneHmac extract(key, messages);
    LaneHash hash = extract.begin();
    if (input != nullptr) hash.add(*input);
    extract.finish(hash, extracted);
  }
  LaneHmac expand(extracted, messages);
  expand.settle();
  uint8_t index = 0;
  for (Lanes<32>* output : outputs) {
    LaneHash hash = expand.begin();
    if (index > 0) hash.add(block);
    hash.add_last_byte(++index);
    expand.finish(hash, block);
    *output = block;
  }
}

}  // namespace wirelay::crypto
