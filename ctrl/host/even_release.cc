// mallopt(3).
#include "ctrl/host/even_release.h"

#include <malloc.h>

namespace wirelay::ctrl {

void release_evenly() noexcept {
  constexpr int kKept = 1 << 30;  // bytes at the end of the heap
  mallopt(M_MXFAST, 0);
  mallopt(M_TRIM_THRESHOLD, kKept);
}

}  // namespace wirelay::ctrl
