// The session table's memory and the layout of receiver indices.
#include "dataplane/tables/session.h"

#include <bit>
#include <stdexcept>
#include <string>

namespace wirelay::dataplane {

namespace {
constexpr unsigned kMinTagBits = 6;
}

IndexLayout IndexLayout::make(uint32_t slots, uint32_t workers) {
  if (slots == 0 || workers == 0) {
    throw std::invalid_argument("a session table needs a slot and a worker");
  }
  const int slot_bits = std::bit_width(slots - 1);
  const int owner_bits = std::bit_width(workers - 1);
  if (slot_bits + owner_bits + static_cast<int>(kMinTagBits) > 32) {
    throw std::invalid_argument(std::to_string(slots) + " sessions and " + std::to_string(workers) +
                                " workers leave no room in a receiver index for a random tag");
  }
  return {static_cast<uint8_t>(slot_bits), static_cast<uint8_t>(owner_bits)};
}

SessionTable::SessionTable(uint32_t slots, uint32_t workers, uint32_t replay_packets)
    : layout_(IndexLayout::make(slots, workers)),
      slots_(uint32_t{1} << layout_.slot_bits),
      replay_words_(crypto::replay_words(replay_packets)),
      sessions_(slots_, true),
      replay_(size_t{slots_} * replay_words_) {}

}  // namespace wirelay::dataplane
