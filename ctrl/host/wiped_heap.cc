// Keys come and go with requests, replies and files, in texts of libraries that do not know what
// they hold. Wiping costs less than allocating did, and workers free nothing. Replaced for the
// whole process (C++20, [replacement.functions]); memory with an alignment of its own is not among
// it, nor is what libraries in C allocate.
#include "ctrl/host/wiped_heap.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include <event2/event.h>
#include <malloc.h>

#include "crypto/keys.h"

namespace wirelay::ctrl {

namespace {

void wipe_and_free(void* memory) noexcept {
  if (memory == nullptr) return;
  crypto::wipe(memory, malloc_usable_size(memory));
  std::free(memory);
}

/// realloc() would leave a copy where the memory was.
void* move_to_more(void* memory, size_t size) {
  void* more = std::malloc(size);
  if (memory == nullptr || more == nullptr) return more;
  std::memcpy(more, memory, std::min(size, malloc_usable_size(memory)));
  wipe_and_free(memory);
  return more;
}

}  // namespace

void wipe_what_libevent_frees() {
  event_set_mem_functions(std::malloc, move_to_more, wipe_and_free);
}

}  // namespace wirelay::ctrl

#ifndef __SANITIZE_ADDRESS__  // which has operators of its own, that know who allocated what
void* operator new(std::size_t size) {
  void* memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t size) { return ::operator new(size); }
void operator delete(void* memory) noexcept { wirelay::ctrl::wipe_and_free(memory); }
void operator delete[](void* memory) noexcept { wirelay::ctrl::wipe_and_free(memory); }
void operator delete(void* memory, std::size_t) noexcept { wirelay::ctrl::wipe_and_free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { wirelay::ctrl::wipe_and_free(memory); }
#endif
