// SPDX-License-Identifier: Apache-2.0
#include "state/journal.h"

#include <chrono>
#include <utility>

namespace tocsin::state {
namespace {

constexpr auto kTryAgain = std::chrono::seconds(5);

}  // namespace

Journal::Journal(Database database, const Clock& clock, PostHome post_home)
    : clock_(clock), post_home_(std::move(post_home)), database_(std::move(database)) {
  disk_ = std::thread([this] { work(); });
}

Journal::~Journal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  disk_.join();
}

void Journal::write(Change change, std::function<void()> durable) {
  {
    const std::lock_guard lock(mutex_);
    gathered_.change.merge(std::move(change));
    if (durable) gathered_.durable.push_back(std::move(durable));
  }
  wake_.notify_one();
}

Journal::Health Journal::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

void Journal::work() {
  for (;;) {
    Batch batch = take_batch();
    const bool is_last = batch.change.empty() && batch.durable.empty() && refused_.empty();
    if (!is_last) commit(std::move(batch));
    const std::lock_guard lock(mutex_);
    if (stopping_ && gathered_.change.empty()) return;
  }
}

// Waits until there is something to write, or until it is time to try again what was refused.
Journal::Batch Journal::take_batch() {
  std::unique_lock lock(mutex_);
  const auto has_work = [this] {
    return stopping_ || !gathered_.change.empty() || !gathered_.durable.empty();
  };
  if (refused_.empty()) {
    wake_.wait(lock, has_work);
  } else {
    wake_.wait_for(lock, kTryAgain, has_work);
  }
  return std::exchange(gathered_, Batch{});
}

void Journal::commit(Batch batch) {
  refused_.merge(std::move(batch.change));
  const auto began = clock_.ticks();
  const Result<void> written = refused_.empty() ? Result<void>{} : database_.apply(refused_);
  note(written, std::chrono::duration<double>(clock_.ticks() - began).count());
  if (written) refused_ = Change{};
  if (batch.durable.empty()) return;
  post_home_([durable = std::move(batch.durable)] {
    for (const auto& call : durable) call();
  });
}

void Journal::note(const Result<void>& written, double seconds) {
  const std::lock_guard lock(mutex_);
  if (written) {
    health_.works = true;
    health_.error.clear();
    ++health_.commits;
    health_.last_commit_seconds = seconds;
    return;
  }
  if (health_.works) health_.since = clock_.now();
  health_.works = false;
  health_.error = written.error().message;
}

}  // namespace tocsin::state
