// SPDX-License-Identifier: Apache-2.0
//
// Journal is the loop thread's way to the database: write() never waits. A thread of the journal's
// own, the disk thread, takes whatever has gathered as one transaction; so a storm of changes costs
// as few of them as the disk can keep up with.
//
// A disk that refuses (full, gone, read-only) does not stop the alerts: a page is worth more than
// its record. What it refused stays in memory, as one change, and is tried again every few seconds;
// health() says since when.
//
// Loop thread only, but for what is said otherwise.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "state/change.h"
#include "state/database.h"

namespace tocsin::state {

class Journal {
 public:
  // Runs a task on the loop thread, later; callable from any thread.
  using PostHome = std::function<void(std::function<void()>)>;

  Journal(Database database, const Clock& clock, PostHome post_home);
  // Writes what is left, once.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // `durable` is called on the loop thread when the change is on disk, or when the disk has refused
  // it. Changes become durable in the order in which they are written.
  void write(Change change, std::function<void()> durable);

  struct Health {
    bool works = true;
    std::string error;           // Why not.
    Timestamp since{};           // Since when not.
    std::uint64_t commits = 0;
    double last_commit_seconds = 0;
  };
  // Any thread.
  Health health() const;

 private:
  struct Batch {
    Change change;
    std::vector<std::function<void()>> durable;
  };

  void work();
  Batch take_batch();
  void commit(Batch batch);
  void note(const Result<void>& written, double seconds);

  const Clock& clock_;
  const PostHome post_home_;
  Database database_;  // The disk thread's.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Batch gathered_;         // Guarded by mutex_.
  Health health_;          // Guarded by mutex_.
  bool stopping_ = false;  // Guarded by mutex_.
  Change refused_;         // The disk thread's.
  std::thread disk_;
};

}  // namespace tocsin::state
