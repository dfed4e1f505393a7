// Memory for tables, straight from the kernel: zeroed, committed when touched.
#include "dataplane/tables/lazy_array.h"

#include <new>

#include <sys/mman.h>

namespace wirelay::dataplane::detail {

namespace {

constexpr size_t kPage = 4096;

size_t round_up(size_t bytes, size_t unit) noexcept { return (bytes + unit - 1) / unit * unit; }

/// What map_lazy() maps for `bytes`: whole pages, huge ones when it is large.
size_t mapped_bytes(size_t bytes) noexcept {
  if (bytes == 0) return kPage;
  return round_up(bytes, bytes < kHugePage ? kPage : kHugePage);
}

/// Maps `size` bytes aligned to a huge page: maps one more and gives back what sticks out.
uint8_t* map_aligned(size_t size, size_t alignment) {
  const size_t extra = alignment > kPage ? alignment : 0;
  void* mapped = mmap(nullptr, size + extra, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* base = static_cast<uint8_t*>(mapped);
  const size_t before =
      round_up(reinterpret_cast<uintptr_t>(base), alignment) - reinterpret_cast<uintptr_t>(base);
  if (before != 0) munmap(base, before);
  if (extra != before) munmap(base + before + size, extra - before);
  return base + before;
}

}  // namespace

void* map_lazy(size_t bytes, Memory kind) {
  if (bytes > SIZE_MAX / 4) throw std::bad_alloc();
  const size_t size = mapped_bytes(bytes);
  const bool large = size >= kHugePage;
  uint8_t* memory = map_aligned(size, large ? kHugePage : kPage);
  if (large) {
    // Advice on speed: a kernel without transparent huge pages refuses it, and all still works. The
    // first part stays in small pages, so that a large table that is hardly used costs little.
    madvise(memory, kHugePage, MADV_NOHUGEPAGE);
    madvise(memory + kHugePage, size - kHugePage,
            kind == Memory::kSparse ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
  }
  if (kind == Memory::kSecret && madvise(memory, size, MADV_DONTDUMP) != 0) {
    munmap(memory, size);
    throw std::bad_alloc();
  }
  return memory;
}

void unmap_lazy(void* memory, size_t bytes) noexcept { munmap(memory, mapped_bytes(bytes)); }

}  // namespace wirelay::dataplane::detail
