// SPDX-License-Identifier: Apache-2.0
//
// FaultyVfs stands between SQLite and the disk and lets a test choose when it fails: the process
// dies at the n-th operation that changes a file, or every write finds the disk full. It is SQLite's
// default as long as it lives. One at a time; set before connections are opened.
#pragma once

#include <atomic>
#include <memory>

struct sqlite3_vfs;

namespace tocsin::testing {

class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // The process ends, without a word, in place of operation number `n` from now (the first is 1).
  void die_at(int n) { left_ = n; }
  // Writes fail with SQLITE_FULL while this holds.
  void fill_disk(bool full) { full_ = full; }
  int operations() const { return operations_; }

  // For the operations themselves: counts one, dies if it is its turn; false when the disk is full.
  bool may_change();

 private:
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::atomic<int> left_ = 0;
  std::atomic<int> operations_ = 0;
  std::atomic<bool> full_ = false;
};

}  // namespace tocsin::testing
