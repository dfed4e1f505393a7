// Where a session's peer was heard last. A worker that opens a newer packet from elsewhere writes
// it down here, so that whoever seals sends there at once; the control thread makes it the peer's
// path (tables/peer.h) when it gets to it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>

#include "dataplane/ip.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::dataplane {

/// Of one packet.
struct Sighting {
  Endpoint remote, local;  // outer source and destination
  uint16_t port = 0;       // DPDK port it came in by
  bool operator==(const Sighting&) const = default;
};

/// Of one session: the last two. The one that is read is not the one that is written, so that a
/// reader is never kept waiting. Written by the session's owner worker.
class Sightings {
 public:
  /// `stamp` is even and odd by turns, and stands in Session::moved afterwards.
  void write(uint64_t stamp, const Sighting& sighting) noexcept {
    std::array<uint64_t, kWords> words{};
    std::memcpy(words.data(), &sighting, sizeof sighting);
    // Whoever reads one of these words finds the stamp of the sighting between, and knows by it
    // that what it has read is no longer whole.
    for (size_t i = 0; i < kWords; ++i) places_[stamp & 1][i].store(words[i], kRelease);
  }
  /// Whole if Session::moved is still `stamp` behind it.
  [[nodiscard]] Sighting read(uint64_t stamp) const noexcept {
    std::array<uint64_t, kWords> words;
    for (size_t i = 0; i < kWords; ++i) words[i] = places_[stamp & 1][i].load(kAcquire);
    std::array<uint8_t, sizeof(Sighting)> bytes;
    std::memcpy(bytes.data(), words.data(), sizeof bytes);
    return std::bit_cast<Sighting>(bytes);
  }

 private:
  static constexpr size_t kWords = (sizeof(Sighting) + 7) / 8;
  std::array<std::array<std::atomic<uint64_t>, kWords>, 2> places_;
};

}  // namespace wirelay::dataplane
