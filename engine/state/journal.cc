// SPDX-License-Identifier: Apache-2.0
#include "state/journal.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace tocsin::state {

struct Journal::Disk {
  Disk(Database opened, const Clock& clock_of_all, PostHome post, Duration try_again_after)
      : clock(clock_of_all),
        post_home(std::move(post)),
        try_again(try_again_after),
        database(std::move(opened)) {}

  struct Batch {
    Change change;
    std::vector<std::function<void()>> durable;

    bool empty() const { return change.empty() && durable.empty(); }
  };

  // Not to be touched once the journal has been abandoned.
  const Clock& clock;
  const PostHome post_home;
  const Duration try_again;

  std::mutex mutex;
  std::condition_variable wake;     // For the disk thread: there is something to do.
  std::condition_variable settled;  // From it: a batch is dealt with, or the thread has ended.

  // Guarded by mutex.
  Batch gathered;
  Health health;
  bool is_urgent = false;   // What was refused is tried again without waiting.
  bool is_busy = false;     // A batch is being dealt with,
  bool is_writing = false;  // and the disk has been asked to.
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
};

void Journal::Disk::work() {
  std::unique_lock lock(mutex);
  bool is_last = false;
  while (!is_last) {
    const bool may_write = wait_for_work(lock);
    is_last = is_stopping;
    is_busy = true;
    is_urgent = false;
    Batch batch = std::exchange(gathered, {});
    refused.merge(std::move(batch.change));
    health.dropped += std::exchange(refused.dropped, 0);
    if (may_write && !refused.empty()) write(lock);
    if (is_abandoned) return;
    health.owed = refused.size();
    if (!batch.durable.empty()) {
      lock.unlock();
      post_home([durable = std::move(batch.durable)] {
        for (const auto& call : durable) call();
      });
      lock.lock();
      if (is_abandoned) return;
    }
    is_busy = false;
    settled.notify_all();
  }
  is_ended = true;
  settled.notify_all();
}

// Returns whether the disk is to be asked: always while it works, every few seconds while not.
bool Journal::Disk::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return is_stopping || is_urgent || !gathered.empty(); };
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
  note(written, began);
  if (written) health.bytes = bytes;
}

void Journal::Disk::note(const Result<void>& written, std::chrono::nanoseconds began) {
  if (written) {
    health.works = true;
    health.error.clear();
    ++health.commits;
    health.last_commit_seconds = std::chrono::duration<double>(clock.ticks() - began).count();
    return;
  }
  if (health.works) health.since = clock.now();
  health.works = false;
  health.error = written.error().message;
  next_try = clock.ticks() + try_again;
}

Journal::Journal(Database database, const Clock& clock, PostHome post_home, JournalOptions options)
    : options_(options),
      disk_(std::make_shared<Disk>(std::move(database), clock, std::move(post_home),
                                   options.try_again)),
      thread_([disk = disk_] { disk->work(); }) {}

Journal::~Journal() {
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
    disk_->gathered.change.merge(std::move(change));
    if (durable) disk_->gathered.durable.push_back(std::move(durable));
  }
  disk_->wake.notify_one();
}

bool Journal::flush(Duration longest) {
  std::unique_lock lock(disk_->mutex);
  disk_->is_urgent = true;
  disk_->wake.notify_one();
  const auto is_settled = [this] {
    return !disk_->is_urgent && !disk_->is_busy && disk_->gathered.empty();
  };
  return disk_->settled.wait_for(lock, longest, is_settled) && disk_->health.works;
}

Journal::Health Journal::health() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->health;
}

}  // namespace tocsin::state
