// SPDX-License-Identifier: Apache-2.0
#include "state/journal.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.h"

namespace tocsin::state {

struct Journal::Disk {
  Disk(Database opened, const Clock& clock_of_all, PostHome post, Duration try_again_after)
      : clock(clock_of_all),
        post_home(std::move(post)),
        try_again(try_again_after),
        database(std::move(opened)) {}

  using Calls = std::vector<std::function<void()>>;

  // Not to be touched once the journal has been abandoned.
  const Clock& clock;
  const PostHome post_home;
  const Duration try_again;

  std::mutex mutex;
  std::condition_variable wake;     // For the disk thread: there is something to do.
  std::condition_variable settled;  // From it: a batch is dealt with, or the thread has ended.

  // Guarded by mutex.
  Change gathered;
  Calls gathered_calls;
  Calls calls;  // Of the batch that is being dealt with.
  Health health;
  std::uint64_t dealt_with = 0;  // Batches.
  bool hangs = false;            // So nothing waits for the disk.
  bool is_urgent = false;        // What was refused is tried again without waiting.
  bool is_busy = false;          // A batch is being dealt with,
  bool is_writing = false;       // and the disk has been asked to.
  bool is_stopping = false;
  bool is_ended = false;
  bool is_abandoned = false;  // The journal is gone, and the disk has not come back.

  // The disk thread's.
  Database database;
  Change refused;
  std::chrono::nanoseconds next_try{0};

  void work();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void write(std::unique_lock<std::mutex>& lock);
  void note(const Result<void>& written, std::chrono::nanoseconds began);
  void note_failure(std::string error);
  bool look(std::uint64_t dealt_with_before);
  bool has_gathered() const { return !gathered.empty() || !gathered_calls.empty(); }
  void call_home(Calls due) const;
};

void Journal::Disk::work() {
  std::unique_lock lock(mutex);
  bool is_last = false;
  while (!is_last) {
    const bool may_write = wait_for_work(lock);
    is_last = is_stopping;
    is_busy = true;
    is_urgent = false;
    calls = std::exchange(gathered_calls, {});
    refused.merge(std::exchange(gathered, {}));
    health.dropped += std::exchange(refused.dropped, 0);
    if (may_write && !refused.empty()) write(lock);
    if (is_abandoned) return;
    health.owed = refused.size();
    if (Calls due = std::exchange(calls, {}); !due.empty()) {
      lock.unlock();
      call_home(std::move(due));
      lock.lock();
      if (is_abandoned) return;
    }
    is_busy = false;
    ++dealt_with;
    settled.notify_all();
  }
  is_ended = true;
  settled.notify_all();
}

// Returns whether the disk is to be asked: always while it works, every few seconds while not.
bool Journal::Disk::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return is_stopping || is_urgent || has_gathered(); };
  if (refused.empty()) {
    wake.wait(lock, has_work);
    return true;
  }
  const bool is_time = !wake.wait_for(lock, next_try - clock.ticks(), has_work);
  return is_time || is_stopping || is_urgent || clock.ticks() >= next_try;
}

void Journal::Disk::write(std::unique_lock<std::mutex>& lock) {
  const auto began = clock.ticks();
  is_writing = true;
  lock.unlock();
  const Result<void> written = database.apply(refused);
  const std::uint64_t bytes = written ? database.bytes() : 0;
  if (written) refused = {};
  lock.lock();
  is_writing = false;
  if (is_abandoned) return;
  hangs = false;
  note(written, began);
  if (written) health.bytes = bytes;
}

void Journal::Disk::note(const Result<void>& written, std::chrono::nanoseconds began) {
  if (written) {
    if (!health.works) log::info("state is written to disk again");
    health.works = true;
    health.error.clear();
    ++health.commits;
    health.last_commit_seconds = std::chrono::duration<double>(clock.ticks() - began).count();
    return;
  }
  note_failure(written.error().message);
  next_try = clock.ticks() + try_again;
}

void Journal::Disk::note_failure(std::string error) {
  if (health.works) {
    health.since = clock.now();
    log::error("state cannot be written to disk, and is kept in memory", {{"error", error}});
  }
  health.works = false;
  health.error = std::move(error);
}

// A disk that writes and has dealt with nothing for so long hangs. Whether there is something to
// do.
bool Journal::Disk::look(std::uint64_t dealt_with_before) {
  const std::lock_guard lock(mutex);
  if (is_writing && dealt_with == dealt_with_before) {
    hangs = true;
    note_failure("the disk does not answer");
    Calls due = std::exchange(calls, {});
    for (auto& call : std::exchange(gathered_calls, {})) due.push_back(std::move(call));
    if (!due.empty()) call_home(std::move(due));
  }
  return is_busy || has_gathered();
}

void Journal::Disk::call_home(Calls due) const {
  post_home([due = std::move(due)] {
    for (const auto& call : due) call();
  });
}

Journal::Journal(Database database, const Clock& clock, Scheduler& scheduler, PostHome post_home,
                 JournalOptions options)
    : options_(options),
      scheduler_(scheduler),
      disk_(std::make_shared<Disk>(std::move(database), clock, std::move(post_home),
                                   options.try_again)),
      thread_([disk = disk_] { disk->work(); }) {}

Journal::~Journal() {
  if (watching_) scheduler_.cancel(*watching_);
  std::unique_lock lock(disk_->mutex);
  disk_->is_stopping = true;
  disk_->wake.notify_one();
  disk_->settled.wait_for(lock, options_.last_write, [this] { return disk_->is_ended; });
  disk_->is_abandoned = !disk_->is_ended;
  const bool hangs = disk_->is_abandoned && disk_->is_writing;
  lock.unlock();
  if (hangs) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void Journal::write(Change change, std::function<void()> durable) {
  {
    const std::lock_guard lock(disk_->mutex);
    disk_->gathered.merge(std::move(change));
    if (durable && disk_->hangs) {
      disk_->call_home({std::move(durable)});
    } else if (durable) {
      disk_->gathered_calls.push_back(std::move(durable));
    }
  }
  disk_->wake.notify_one();
  if (!watching_) watch();
}

void Journal::watch() {
  const std::lock_guard lock(disk_->mutex);
  watching_ = scheduler_.after(options_.longest_write, [this, before = disk_->dealt_with] {
    watching_.reset();
    if (disk_->look(before)) watch();
  });
}

bool Journal::flush(Duration longest) {
  std::unique_lock lock(disk_->mutex);
  disk_->is_urgent = true;
  disk_->wake.notify_one();
  const auto is_settled = [this] {
    return !disk_->is_urgent && !disk_->is_busy && !disk_->has_gathered();
  };
  return disk_->settled.wait_for(lock, longest, is_settled) && disk_->health.works;
}

Journal::Health Journal::health() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->health;
}

}  // namespace tocsin::state
