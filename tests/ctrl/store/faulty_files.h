// A file system for SQLite on which calls fail as the test says: SQLite's own, with a counter
// before each call that could fail on a real disk. Nothing waits for a real disk.
#pragma once

#include <cstddef>

namespace wirelay::test {

enum class Fault {
  kOnce,  // the call fails, those behind it do not: a disk that was full for a moment
  kFull,  // all that would write more fail from then on; "database or disk is full"
  kDead,  // a write stops half way, and nothing works any more: power is gone
};

/// Registers the file system "faulty" with SQLite; once for all tests.
class FaultyFiles {
 public:
  static const char* name();
  /// The call `at` (from 0) of the kinds open, write, sync, truncate and the making of shared
  /// memory meets `fault`.
  static void fail_at(size_t at, Fault fault);
  /// From now on all is well.
  static void heal();
  /// How many calls there were since fail_at() or heal().
  static size_t calls();
};

}  // namespace wirelay::test
