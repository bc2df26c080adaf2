// SPDX-License-Identifier: Apache-2.0
//
// Recording keeps an archive of what comes into the store, for replays: it has an
// archive::Recorder written to the disk every few seconds.
//
// Loop thread only, but for what workers do.
#pragma once

#include <memory>
#include <vector>

#include "archive/recorder.h"
#include "daemon/periodic.h"
#include "net/executor.h"
#include "tocsin/promql.h"

namespace tocsin::daemon {

class Recording {
 public:
  // `workers` may wait for the disk.
  Recording(net::Executor& workers, net::Executor& loop, Scheduler& scheduler)
      : workers_(workers), loop_(loop), periodic_(scheduler) {}

  // Before anything is written into `store`. Does nothing where no folder is named; fails with Io.
  // `now` names the process.
  Result<void> begin(const archive::RecorderOptions& options, Timestamp now, store::Store& store);

  // Adds what a replay needs besides what rules read: `up` tells it what could not be seen.
  void add_needs(std::vector<promql::Need>& needs) const;

 private:
  void flush();

  net::Executor& workers_;
  net::Executor& loop_;
  std::shared_ptr<archive::Recorder> recorder_;  // Null: nothing is recorded.
  bool is_well_ = true;                          // The last flush was.
  Periodic periodic_;
};

}  // namespace tocsin::daemon
