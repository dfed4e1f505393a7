// A zeroed array in memory of its own that is committed page by page when first touched: tables
// are sized for the configured maximum and cost what is used. Large arrays ask for transparent
// huge pages behind their first 2 MiB, so that random access to 100,000 records does not miss the
// TLB each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace wirelay::dataplane {

enum class Memory : uint8_t {
  kDense,   // filled in order
  kSecret,  // the same, kept out of core dumps
  kSparse,  // touched here and there, by threads that must not wait for a huge page to be cleared
};

namespace detail {
inline constexpr size_t kHugePage = size_t{2} << 20;
/// Anonymous zeroed memory, aligned to 2 MiB when at least that large, else to a page.
/// Throws std::bad_alloc.
void* map_lazy(size_t bytes, Memory memory);
void unmap_lazy(void* memory, size_t bytes) noexcept;
}  // namespace detail

/// `T` must be valid as zero bytes (atomics and plain data) and needs no destructor.
template <typename T>
class LazyArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  explicit LazyArray(size_t size, Memory memory = Memory::kDense)
      : size_(size), data_(static_cast<T*>(detail::map_lazy(size * sizeof(T), memory))) {}
  ~LazyArray() { detail::unmap_lazy(data_, size_ * sizeof(T)); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;

  T& operator[](size_t i) noexcept { return data_[i]; }
  const T& operator[](size_t i) const noexcept { return data_[i]; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] T* data() noexcept { return data_; }

 private:
  size_t size_;
  T* data_;
};

}  // namespace wirelay::dataplane
