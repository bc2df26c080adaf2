// SPDX-License-Identifier: Apache-2.0
#include "support/faulty_vfs.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <random>

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

int close_file(sqlite3_file* f) {
  current->note_close(real_of(f));
  return real_of(f)->pMethods->xClose(real_of(f));
}
int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  return real_of(f)->pMethods->xRead(real_of(f), to, size, at);
}
int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  if (!current->may_change()) return SQLITE_FULL;
  current->note_write(real_of(f), from, size, at);
  return real_of(f)->pMethods->xWrite(real_of(f), from, size, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
  (void)current->may_change();
  current->note_write(real_of(f), nullptr, 0, size);
  return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
int sync(sqlite3_file* f, int flags) {
  (void)current->may_change();
  const int status = real_of(f)->pMethods->xSync(real_of(f), flags);
  current->note_sync(real_of(f));
  return status;
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
const sqlite3_io_methods kMethods = {1,       close_file,  read,    write,   truncate,
                                     sync,    file_size,   lock,    unlock,  is_reserved,
                                     control, sector_size, device,  nullptr, nullptr,
                                     nullptr, nullptr,     nullptr, nullptr};

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

int set_few_pages(sqlite3* db, char**, const struct sqlite3_api_routines*) {
  return sqlite3_wal_autocheckpoint(db, 8);
}
const auto kOnOpen = reinterpret_cast<void (*)()>(set_few_pages);

long long size_of(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  file->pMethods->xFileSize(file, &size);
  return size;
}

void put(sqlite3_file* file, const std::string& bytes, long long at) {
  if (!bytes.empty())
    file->pMethods->xWrite(file, bytes.data(), static_cast<int>(bytes.size()), at);
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
  if (checkpoints_often_) sqlite3_cancel_auto_extension(kOnOpen);
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(real_vfs, 1);
  current = nullptr;
}

bool FaultyVfs::may_change() {
  ++operations_;
  if (left_ > 0 && --left_ == 0) die();
  return !full_;
}

void FaultyVfs::checkpoint_often() {
  checkpoints_often_ = true;
  sqlite3_auto_extension(kOnOpen);
}

void FaultyVfs::note_write(sqlite3_file* file, const void* bytes, int size, long long at) {
  if (loss_ == Loss::Nothing) return;
  Write write;
  write.at = at;
  write.size_before = size_of(file);
  const long long there = std::max(0LL, write.size_before - at);
  write.before.resize(static_cast<std::size_t>(bytes ? std::min<long long>(size, there) : there));
  if (!write.before.empty()) {
    file->pMethods->xRead(file, write.before.data(), static_cast<int>(write.before.size()), at);
  }
  if (bytes) write.after.assign(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  unsynced_[file].push_back(std::move(write));
}

void FaultyVfs::note_sync(sqlite3_file* file) {
  if (gate_.valid()) gate_.wait();
  if (!lies_) unsynced_.erase(file);
}

// Takes every unsynced write back and then, if some survive, does those again.
void FaultyVfs::die() {
  std::minstd_rand random(static_cast<unsigned>(operations_));
  for (auto& [file, writes] : unsynced_) {
    for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
      put(file, write->before, write->at);
      file->pMethods->xTruncate(file, write->size_before);
    }
    for (const Write& write : writes) {
      if (loss_ != Loss::Some || random() % 2 == 0) continue;
      if (write.after.empty()) file->pMethods->xTruncate(file, write.at);
      put(file, write.after, write.at);
    }
  }
  _exit(9);
}

}  // namespace tocsin::testing
