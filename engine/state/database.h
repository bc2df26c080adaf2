// SPDX-License-Identifier: Apache-2.0
//
// Database is the file that outlives the process: one SQLite file, written in transactions that are
// on disk when apply() returns (WAL, synchronous=FULL). Whatever happens to the process, a change
// is there whole or not at all.
//
// Synchronous, and slow when the disk is: whichever thread owns it may wait. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state/change.h"
#include "state/sqlite.h"

namespace tocsin::state {

class Database {
 public:
  // Opens `path`, or begins it; its folder is made if it is not there. The file is only for its
  // owner to read. An older file is migrated. Fails with Unavailable if another process has it,
  // with InvalidArgument if a newer Tocsin wrote it (it is left as it is), and with Io or Limit
  // when the disk does. A full disk does not keep a file from being opened that needs no migration.
  //
  // A damaged file is set aside beside itself, with `now` in its name, and a new one begun:
  // set_aside() says so. What passes as sound can be read and written.
  static Result<Database> open(const std::string& path, Timestamp now);

  // A sentence for people; empty when the file was sound.
  const std::string& set_aside() const { return set_aside_; }

  // One transaction. Limit: the disk is full. Parse: the file was damaged after it was opened.
  Result<void> apply(const Change& change);
  Result<Saved> load();
  // The entries from `from` until before `to`, at most `limit`; the newest first.
  Result<std::vector<HistoryEntry>> history(Timestamp from, Timestamp to, std::size_t limit);
  // The size of the file, without what has not been moved into it from the log beside it.
  std::uint64_t bytes();

 private:
  explicit Database(Connection db) : db_(std::move(db)) {}
  static Result<Database> open_sound(const std::string& path);
  Result<void> write(const Change& change);
  Result<void> write_alerts(const Change& change);
  Result<void> write_messages(const Change& change);
  Result<void> write_texts(std::string_view table,
                           const std::map<std::string, std::optional<std::string>>& texts);
  Result<void> write_history(const Change& change);
  Result<void> write_samples(const Change& change);
  Result<void> load_alerts(Saved& saved);
  Result<void> load_messages(Saved& saved);
  Result<void> load_texts(std::string_view table, std::map<std::string, std::string>& texts,
                          std::size_t& damaged);
  Result<std::vector<HistoryEntry>> entries(Timestamp from, Timestamp to, std::size_t limit,
                                            std::size_t& damaged);
  Result<void> load_samples(Saved& saved);

  Connection db_;
  std::string set_aside_;
};

}  // namespace tocsin::state
