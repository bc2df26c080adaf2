// SPDX-License-Identifier: Apache-2.0
#include "support/faulty_vfs.h"

#include <sqlite3.h>
#include <unistd.h>

namespace tocsin::testing {
namespace {

FaultyVfs* current = nullptr;
sqlite3_vfs* real_vfs = nullptr;

// SQLite's file object, with the real one behind it.
struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

int close_file(sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); }
int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  return real_of(f)->pMethods->xRead(real_of(f), to, size, at);
}
int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  if (!current->may_change()) return SQLITE_FULL;
  return real_of(f)->pMethods->xWrite(real_of(f), from, size, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
  (void)current->may_change();
  return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
int sync(sqlite3_file* f, int flags) {
  (void)current->may_change();
  return real_of(f)->pMethods->xSync(real_of(f), flags);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
int lock(sqlite3_file* f, int level) { return real_of(f)->pMethods->xLock(real_of(f), level); }
int unlock(sqlite3_file* f, int level) { return real_of(f)->pMethods->xUnlock(real_of(f), level); }
int is_reserved(sqlite3_file* f, int* out) {
  return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
int control(sqlite3_file* f, int what, void* argument) {
  return real_of(f)->pMethods->xFileControl(real_of(f), what, argument);
}
int sector_size(sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
int device(sqlite3_file* f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }

// Version 1: without shared memory, which an exclusive connection does not need.
const sqlite3_io_methods kMethods = {1,         close_file, read,   write,       truncate,
                                     sync,      file_size,  lock,   unlock,      is_reserved,
                                     control,   sector_size, device, nullptr,    nullptr,
                                     nullptr,   nullptr,    nullptr, nullptr};

int open_file(sqlite3_vfs*, const char* path, sqlite3_file* f, int flags, int* out_flags) {
  f->pMethods = nullptr;
  const int status = real_vfs->xOpen(real_vfs, path, real_of(f), flags, out_flags);
  if (real_of(f)->pMethods) f->pMethods = &kMethods;
  return status;
}

int delete_file(sqlite3_vfs*, const char* path, int sync_folder) {
  (void)current->may_change();
  return real_vfs->xDelete(real_vfs, path, sync_folder);
}

}  // namespace

FaultyVfs::FaultyVfs() {
  if (!real_vfs) real_vfs = sqlite3_vfs_find(nullptr);
  vfs_ = std::make_unique<sqlite3_vfs>(*real_vfs);
  vfs_->zName = "faulty";
  vfs_->szOsFile = static_cast<int>(sizeof(File)) + real_vfs->szOsFile;
  vfs_->pNext = nullptr;
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
  current = this;
  sqlite3_vfs_register(vfs_.get(), 1);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(real_vfs, 1);
  current = nullptr;
}

bool FaultyVfs::may_change() {
  ++operations_;
  if (left_ > 0 && --left_ == 0) _exit(9);
  return !full_;
}

}  // namespace tocsin::testing
