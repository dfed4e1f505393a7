// From a public key to its peer's number: what the responder asks for each initiation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/keys.h"

namespace wirelay::ctrl {

/// An open-addressing table of peer numbers; the keys stay where the caller keeps them. Users pick
/// their keys themselves, so that positions come from a keyed hash (SipHash-2-4).
class KeyIndex {
 public:
  /// Where the key of a peer lies.
  using KeyOf = const crypto::PublicKey& (*)(const void* keys, uint32_t peer);

  /// `keys` is handed to `key_of` and outlives the index.
  KeyIndex(const void* keys, KeyOf key_of);

  /// `peer`'s key is not in the index yet.
  void insert(uint32_t peer);
  /// Call while `peer`'s key is still in its place.
  void erase(uint32_t peer);
  [[nodiscard]] std::optional<uint32_t> find(const crypto::PublicKey& key) const;
  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  [[nodiscard]] size_t home(const crypto::PublicKey& key) const;
  void grow();
  void place(uint32_t peer);

  const void* keys_;
  KeyOf key_of_;
  std::array<uint8_t, 16> seed_;
  std::vector<uint32_t> slots_;  // peer number + 1; 0: free. A power of two, at most half full
  size_t size_ = 0;
};

}  // namespace wirelay::ctrl
