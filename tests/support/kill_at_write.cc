// SPDX-License-Identifier: Apache-2.0
//
// For LD_PRELOAD: counts what a process does to the files below TOCSIN_KILL_FOLDER (it writes,
// syncs, cuts, renames, deletes), and kills it with SIGKILL in the middle of number TOCSIN_KILL_AT:
// half of the bytes of a write have arrived, anything else has not been done. TOCSIN_KILL_COUNT
// names a file whose length is the count.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool is_watched(const char* path) {
  static const char* const folder = std::getenv("TOCSIN_KILL_FOLDER");
  return folder != nullptr && std::string_view(path).starts_with(folder);
}

bool is_watched(int fd) {
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return false;
  path[size] = '\0';
  return is_watched(path);
}

// Counts one; whether the process is to die of it.
bool is_last() {
  static std::atomic<long> done{0};
  static const char* const at = std::getenv("TOCSIN_KILL_AT");
  static const char* const count = std::getenv("TOCSIN_KILL_COUNT");
  static const int out = count == nullptr ? -1 : open(count, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (out >= 0 && real<decltype(write)>("write")(out, ".", 1) != 1) std::abort();
  return ++done == (at == nullptr ? 0 : std::atol(at));
}

[[noreturn]] void die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const next = real<decltype(write)>("write");
  if (is_watched(fd) && is_last()) {
    next(fd, bytes, size / 2);
    die();
  }
  return next(fd, bytes, size);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static auto* const next = real<decltype(pwrite64)>("pwrite64");
  if (is_watched(fd) && is_last()) {
    next(fd, bytes, size / 2, at);
    die();
  }
  return next(fd, bytes, size, at);
}

int ftruncate64(int fd, off64_t size) noexcept {
  if (is_watched(fd) && is_last()) die();
  return real<int(int, off64_t)>("ftruncate64")(fd, size);
}

int fsync(int fd) {
  if (is_watched(fd) && is_last()) die();
  return real<int(int)>("fsync")(fd);
}

int fdatasync(int fd) {
  if (is_watched(fd) && is_last()) die();
  return real<int(int)>("fdatasync")(fd);
}

int rename(const char* from, const char* to) noexcept {
  if (is_watched(from) && is_last()) die();
  return real<int(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* path) noexcept {
  if (is_watched(path) && is_last()) die();
  return real<int(const char*)>("unlink")(path);
}

}  // extern "C"
