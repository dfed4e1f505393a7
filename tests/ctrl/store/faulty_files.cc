// The shim: each file holds SQLite's own behind it.
#include "tests/ctrl/store/faulty_files.h"

#include <atomic>
#include <cstring>
#include <vector>

#include <sqlite3.h>

namespace wirelay::test {

namespace {

struct Plan {
  std::atomic<size_t> calls{0};
  std::atomic<size_t> at{SIZE_MAX};
  std::atomic<Fault> fault{Fault::kOnce};
};
Plan plan;

sqlite3_vfs* real() { return sqlite3_vfs_find("unix"); }

struct File {
  sqlite3_file base;
  sqlite3_file* inner() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
sqlite3_file* inner(sqlite3_file* file) { return reinterpret_cast<File*>(file)->inner(); }

/// What the call at hand meets: SQLITE_OK, or an error.
int meet(int error, bool writes) {
  const size_t call = plan.calls++;
  const size_t at = plan.at;
  if (call < at) return SQLITE_OK;
  switch (plan.fault.load()) {
    case Fault::kOnce:
      return call == at ? error : SQLITE_OK;
    case Fault::kFull:
      return writes ? SQLITE_FULL : SQLITE_OK;
    case Fault::kDead:
      return error;
  }
  return SQLITE_OK;
}

int x_close(sqlite3_file* file) { return inner(file)->pMethods->xClose(inner(file)); }
int x_read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 at) {
  return inner(file)->pMethods->xRead(inner(file), to, bytes, at);
}
int x_write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  const bool last = plan.fault == Fault::kDead && plan.calls == plan.at;
  if (const int error = meet(SQLITE_IOERR_WRITE, true)) {
    if (last) inner(file)->pMethods->xWrite(inner(file), from, bytes / 2, at);
    return error;
  }
  return inner(file)->pMethods->xWrite(inner(file), from, bytes, at);
}
int x_truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int error = meet(SQLITE_IOERR_TRUNCATE, false)) return error;
  return inner(file)->pMethods->xTruncate(inner(file), size);
}
int x_sync(sqlite3_file*, int) { return meet(SQLITE_IOERR_FSYNC, false); }
int x_size(sqlite3_file* file, sqlite3_int64* size) {
  return inner(file)->pMethods->xFileSize(inner(file), size);
}
int x_lock(sqlite3_file* file, int level) {
  return inner(file)->pMethods->xLock(inner(file), level);
}
int x_unlock(sqlite3_file* file, int level) {
  return inner(file)->pMethods->xUnlock(inner(file), level);
}
int x_reserved(sqlite3_file* file, int* result) {
  return inner(file)->pMethods->xCheckReservedLock(inner(file), result);
}
int x_control(sqlite3_file* file, int op, void* argument) {
  return inner(file)->pMethods->xFileControl(inner(file), op, argument);
}
int x_sector(sqlite3_file* file) { return inner(file)->pMethods->xSectorSize(inner(file)); }
int x_characteristics(sqlite3_file* file) {
  return inner(file)->pMethods->xDeviceCharacteristics(inner(file));
}
int x_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
  if (extend != 0) {
    if (const int error = meet(SQLITE_IOERR_SHMSIZE, true)) return error;
  }
  return inner(file)->pMethods->xShmMap(inner(file), page, size, extend, to);
}
int x_shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return inner(file)->pMethods->xShmLock(inner(file), offset, n, flags);
}
void x_shm_barrier(sqlite3_file* file) { inner(file)->pMethods->xShmBarrier(inner(file)); }
int x_shm_unmap(sqlite3_file* file, int remove) {
  return inner(file)->pMethods->xShmUnmap(inner(file), remove);
}

const sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_reserved,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_characteristics,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int x_open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
  file->pMethods = nullptr;
  const bool makes = (flags & SQLITE_OPEN_CREATE) != 0;
  if (const int error = meet(SQLITE_CANTOPEN, makes)) return error;
  const int result = real()->xOpen(real(), name, inner(file), flags, out);
  if (inner(file)->pMethods != nullptr) file->pMethods = &kMethods;
  return result;
}

}  // namespace

const char* FaultyFiles::name() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs faulty = *real();
    faulty.zName = "faulty";
    faulty.szOsFile = static_cast<int>(sizeof(File)) + real()->szOsFile;
    faulty.pNext = nullptr;
    faulty.xOpen = x_open;
    return faulty;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? vfs.zName : "";
}

void FaultyFiles::fail_at(size_t at, Fault fault) {
  plan.fault = fault;
  plan.at = at;
  plan.calls = 0;
}

void FaultyFiles::heal() { fail_at(SIZE_MAX, Fault::kOnce); }

size_t FaultyFiles::calls() { return plan.calls; }

}  // namespace wirelay::test
