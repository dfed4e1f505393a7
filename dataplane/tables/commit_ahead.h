// Memory of large arrays that are filled in order, committed ahead of its use: to clear a huge page
// may take milliseconds, which the thread that touches it first would wait for.
#pragma once

#include <algorithm>
#include <cstddef>

#include "dataplane/tables/lazy_array.h"

namespace wirelay::dataplane {

namespace detail {
/// Has a thread of its own commit it, soon. The thread lives from the first call to the end of the
/// process. Any thread.
void commit_soon(void* memory, size_t bytes) noexcept;
}  // namespace detail

/// To be called when `count` elements from `first` on come into use, and those before them are:
/// behind the middle of each huge page the next one is committed.
template <typename T>
void reached(LazyArray<T>& array, size_t first, size_t count = 1) noexcept {
  constexpr size_t kHalf = detail::kHugePage / 2;
  // Huge pages that are needed when the bytes before `end` are used.
  const auto pages = [](size_t end) {
    return end == 0 ? 0 : (end - 1 + kHalf) / detail::kHugePage;
  };
  const size_t next = pages((first + count) * sizeof(T));
  const size_t bytes = array.size() * sizeof(T), at = next * detail::kHugePage;
  if (next == pages(first * sizeof(T)) || at >= bytes) return;
  detail::commit_soon(reinterpret_cast<std::byte*>(array.data()) + at,
                      std::min(detail::kHugePage, bytes - at));
}

}  // namespace wirelay::dataplane
