// The session table's memory.
#include "dataplane/tables/session.h"

namespace wirelay::dataplane {

SessionTable::SessionTable(uint32_t slots, uint32_t workers, uint32_t replay_packets)
    : layout_(IndexLayout::make(slots, workers)),
      slots_(uint32_t{1} << layout_.slot_bits),
      workers_(workers),
      replay_words_(crypto::replay_words(replay_packets)),
      sessions_(slots_, Memory::kSecret),
      sightings_(slots_, Memory::kSparse),
      awaited_(slots_),
      replay_(size_t{slots_} * replay_words_) {
  layout_.permutation = IndexPermutation::draw();
}

}  // namespace wirelay::dataplane
