// SPDX-License-Identifier: Apache-2.0
//
// Journal is the loop thread's way to the database: write() never waits. A thread of the journal's
// own, the disk thread, takes whatever has gathered as one transaction; so a storm of changes costs
// as few of them as the disk can keep up with.
//
// A disk that refuses (full, gone, read-only) does not stop the alerts: a page is worth more than
// its record. What it refused stays in memory, as one change, and is tried again every few seconds
// with what has come since; nothing waits for that. Nor does anything wait for a disk that hangs:
// after a few seconds what it was given counts as refused, and what follows at once, until it
// answers. health() says since when.
//
// Loop thread only, but for what is said otherwise.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "state/change.h"
#include "state/database.h"

namespace tocsin::state {

struct JournalOptions {
  Duration try_again = std::chrono::seconds(5);      // After the disk has refused.
  Duration last_write = std::chrono::seconds(10);    // The longest wait for the disk at the end.
  Duration longest_write = std::chrono::seconds(5);  // What takes longer hangs.
};

class Journal {
 public:
  // Runs a task on the loop thread, later; callable from any thread.
  using PostHome = std::function<void(std::function<void()>)>;

  // `scheduler` is the loop's.
  Journal(Database database, const Clock& clock, Scheduler& scheduler, PostHome post_home,
          JournalOptions options = {});
  // Writes what is left, once. A disk that hangs is left behind, with its thread.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // `durable` is called on the loop thread when the change is on disk, or when the disk has refused
  // it or hangs. Changes become durable in the order in which they are written.
  void write(Change change, std::function<void()> durable);

  // Waits until everything that was written is on disk, `longest` at most; what was refused is
  // tried again at once. Whether it is.
  bool flush(Duration longest);

  struct Health {
    bool works = true;
    std::string error;          // Why not.
    Timestamp since{};          // Since when not.
    std::size_t owed = 0;       // Values and entries that the disk has refused so far.
    std::uint64_t dropped = 0;  // Entries that made room for newer ones while it did.
    std::uint64_t commits = 0;
    double last_commit_seconds = 0;
    std::uint64_t bytes = 0;  // Of the file, as of the last commit.
  };
  // Any thread.
  Health health() const;

 private:
  struct Disk;

  void watch();

  const JournalOptions options_;
  Scheduler& scheduler_;
  std::optional<Scheduler::TaskId> watching_;  // While there is something to write.
  const std::shared_ptr<Disk> disk_;  // Shared with the disk thread, which may outlive the journal.
  std::thread thread_;
};

}  // namespace tocsin::state
