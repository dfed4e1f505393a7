// Pages that may be used between two that may not, and a thread whose stack lies in such pages: for
// tests of what code touches, and of what it leaves.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <utility>

#include <cppunit/TestAssert.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace wirelay::test {

/// Pages that may be used, between two that may not.
class GuardedPages {
 public:
  explicit GuardedPages(size_t bytes)
      : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        bytes_((bytes + page_ - 1) / page_ * page_) {
    void* memory = mmap(nullptr, bytes_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CPPUNIT_ASSERT(memory != MAP_FAILED);
    base_ = static_cast<uint8_t*>(memory);
    CPPUNIT_ASSERT_EQUAL(0, mprotect(begin(), bytes_, PROT_READ | PROT_WRITE));
  }
  ~GuardedPages() { munmap(base_, bytes_ + 2 * page_); }
  GuardedPages(GuardedPages&& other) noexcept
      : page_(other.page_), bytes_(other.bytes_), base_(std::exchange(other.base_, nullptr)) {}
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  [[nodiscard]] uint8_t* begin() const { return base_ + page_; }
  [[nodiscard]] uint8_t* end() const { return begin() + bytes_; }

 private:
  size_t page_, bytes_;
  uint8_t* base_ = nullptr;
};

inline bool contains(std::span<const uint8_t> memory, std::span<const uint8_t> secret) {
  return memmem(memory.data(), memory.size(), secret.data(), secret.size()) != nullptr;
}

/// A thread whose stack is ours, so that what a burst leaves there can be read afterwards, all of
/// it.
class PrivateStack {
 public:
  PrivateStack() : pages_(kBytes) {}

  [[nodiscard]] std::span<const uint8_t> memory() const { return {pages_.begin(), kBytes}; }

  void run(std::function<void()> work) {
    std::memset(pages_.begin(), 0xa5, kBytes);
    pthread_attr_t attributes;
    pthread_t thread;
    CPPUNIT_ASSERT_EQUAL(0, pthread_attr_init(&attributes));
    CPPUNIT_ASSERT_EQUAL(0, pthread_attr_setstack(&attributes, pages_.begin(), kBytes));
    const auto main = [](void* argument) -> void* {
      (*static_cast<std::function<void()>*>(argument))();
      return nullptr;
    };
    CPPUNIT_ASSERT_EQUAL(0, pthread_create(&thread, &attributes, main, &work));
    CPPUNIT_ASSERT_EQUAL(0, pthread_join(thread, nullptr));
    pthread_attr_destroy(&attributes);
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 18;
  GuardedPages pages_;
};

}  // namespace wirelay::test
