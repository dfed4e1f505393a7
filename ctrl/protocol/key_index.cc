// Linear probing; a removal moves followers back, so that there are no tombstones.
#include "ctrl/protocol/key_index.h"

#include <cstring>

#include <sodium.h>

namespace wirelay::ctrl {

namespace {
constexpr size_t kFirstSize = 64;
}  // namespace

KeyIndex::KeyIndex(const void* keys, KeyOf key_of)
    : keys_(keys), key_of_(key_of), slots_(kFirstSize) {
  static_assert(sizeof(seed_) == crypto_shorthash_KEYBYTES);
  crypto::random_bytes(seed_);
}

size_t KeyIndex::home(const crypto::PublicKey& key) const {
  uint64_t hash;
  static_assert(sizeof(hash) == crypto_shorthash_BYTES);
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), key.data(), key.size(), seed_.data());
  return hash & (slots_.size() - 1);
}

void KeyIndex::place(uint32_t peer) {
  size_t i = home(key_of_(keys_, peer));
  while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = peer + 1;
}

void KeyIndex::grow() {
  std::vector<uint32_t> old(slots_.size() * 2);
  old.swap(slots_);
  for (uint32_t entry : old) {
    if (entry != 0) place(entry - 1);
  }
}

void KeyIndex::insert(uint32_t peer) {
  if (++size_ * 2 > slots_.size()) grow();
  place(peer);
}

void KeyIndex::erase(uint32_t peer) {
  const size_t mask = slots_.size() - 1;
  size_t hole = home(key_of_(keys_, peer));
  while (slots_[hole] != peer + 1) {
    if (slots_[hole] == 0) return;
    hole = (hole + 1) & mask;
  }
  --size_;
  slots_[hole] = 0;
  for (size_t i = (hole + 1) & mask; slots_[i] != 0; i = (i + 1) & mask) {
    const size_t wanted = home(key_of_(keys_, slots_[i] - 1));
    // It may move into the hole unless its home lies behind the hole.
    if (((i - wanted) & mask) < ((i - hole) & mask)) continue;
    slots_[hole] = slots_[i];
    slots_[i] = 0;
    hole = i;
  }
}

std::optional<uint32_t> KeyIndex::find(const crypto::PublicKey& key) const {
  for (size_t i = home(key); slots_[i] != 0; i = (i + 1) & (slots_.size() - 1)) {
    const uint32_t peer = slots_[i] - 1;
    if (key_of_(keys_, peer) == key) return peer;
  }
  return std::nullopt;
}

}  // namespace wirelay::ctrl
