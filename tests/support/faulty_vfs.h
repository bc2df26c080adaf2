// SPDX-License-Identifier: Apache-2.0
//
// FaultyVfs stands between SQLite and the disk and lets a test choose when it fails: the process
// dies at the n-th operation that changes a file, alone or with the machine, or every write finds
// the disk full, or waits. It is SQLite's default as long as it lives. One at a time; set before
// connections are opened.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct sqlite3_file;
struct sqlite3_vfs;

namespace tocsin::testing {

// What becomes of the writes that were not synced when the process dies.
enum class Loss {
  Nothing,  // The process was killed.
  All,      // The machine lost its power,
  Some,     // and had written some of them, in any order.
};

class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // The process ends, without a word, in place of operation number `n` from now (the first is 1).
  void die_at(int n, Loss loss = Loss::Nothing) {
    left_ = n;
    loss_ = loss;
  }
  // Syncing does nothing and says that it has. For tests that prove that a test can fail.
  void lie_about_syncing() { lies_ = true; }
  // Connections that are opened from now on move their log into the file after a few pages.
  void checkpoint_often();
  // Syncs wait until `gate` is ready.
  void hang_until(std::shared_future<void> gate) { gate_ = std::move(gate); }
  // Writes fail with SQLITE_FULL while this holds.
  void fill_disk(bool full) { full_ = full; }
  int operations() const { return operations_; }

  // For the operations themselves: counts one, dies if it is its turn; false when the disk is full.
  bool may_change();
  // About to put `bytes` at `at`, or, with null, to cut the file off there.
  void note_write(sqlite3_file* file, const void* bytes, int size, long long at);
  void note_sync(sqlite3_file* file);
  void note_close(sqlite3_file* file) { unsynced_.erase(file); }

 private:
  struct Write {
    long long at = 0;
    std::string before;
    std::string after;
    long long size_before = 0;
  };

  void die();

  std::unique_ptr<sqlite3_vfs> vfs_;
  std::atomic<int> left_ = 0;
  std::atomic<int> operations_ = 0;
  std::atomic<bool> full_ = false;
  Loss loss_ = Loss::Nothing;
  bool lies_ = false;
  bool checkpoints_often_ = false;
  std::shared_future<void> gate_;
  std::map<sqlite3_file*, std::vector<Write>> unsynced_;  // In their order.
};

}  // namespace tocsin::testing
