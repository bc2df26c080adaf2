// SPDX-License-Identifier: Apache-2.0
#include "state/schema.h"

#include <array>

namespace tocsin::state {
namespace {

// Step n takes a file of version n to version n + 1. Steps are only ever added.
constexpr std::array<std::string_view, 4> kSteps{R"(
CREATE TABLE alerts(
  rule_id TEXT NOT NULL, labels BLOB NOT NULL, content_id TEXT NOT NULL, rule_name TEXT NOT NULL,
  state INTEGER NOT NULL, value REAL, annotations BLOB NOT NULL, active_at INTEGER NOT NULL,
  fired_at INTEGER, resolved_at INTEGER, keep_firing_since INTEGER, last_sent_at INTEGER,
  blind_since INTEGER, blind_cause TEXT NOT NULL, blind_reason TEXT NOT NULL,
  flapping_since INTEGER,
  looks INTEGER NOT NULL, last_look INTEGER NOT NULL,
  PRIMARY KEY(rule_id, labels)) WITHOUT ROWID;
CREATE TABLE messages(
  receiver TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, decided_at INTEGER NOT NULL,
  PRIMARY KEY(receiver, key)) WITHOUT ROWID;
CREATE TABLE groups(key TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE history(
  at INTEGER NOT NULL, rule_name TEXT NOT NULL, from_state INTEGER NOT NULL,
  to_state INTEGER NOT NULL, labels BLOB NOT NULL, value REAL, summary TEXT NOT NULL);
CREATE INDEX history_at ON history(at);
CREATE TABLE series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL UNIQUE);
CREATE TABLE samples(
  at INTEGER NOT NULL, series INTEGER NOT NULL, value REAL,
  PRIMARY KEY(at, series)) WITHOUT ROWID;
)",
                                                 R"(
CREATE TABLE settings(key TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
)",
                                                 R"(
CREATE TABLE silences(key TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
)",
                                                 R"(
ALTER TABLE alerts ADD COLUMN recent_values BLOB NOT NULL DEFAULT x'';
)"};

constexpr std::int64_t kNewest = kSteps.size();
// No file claims to be of a version beyond this one, unless it is damaged.
constexpr std::int64_t kMostVersions = 1000;

constexpr const char* kTables =
    "SELECT group_concat(name || ' ' || sql, ';') FROM "
    "(SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name)";

Result<void> take_step(const Connection& db, std::int64_t from) {
  const std::string sql = "BEGIN IMMEDIATE;" + std::string(kSteps[static_cast<std::size_t>(from)]) +
                          "PRAGMA user_version=" + std::to_string(from + 1) + ";COMMIT";
  auto done = db.run(sql);
  if (!done) (void)db.run("ROLLBACK");
  return done;
}

Result<void> take_steps(const Connection& db, std::int64_t from, std::int64_t to) {
  for (std::int64_t version = from; version < to; ++version) {
    if (auto done = take_step(db, version); !done) return done;
  }
  return {};
}

// Which tables a file of `version` has, told by making one in memory.
Result<std::string> tables_of_version(std::int64_t version) {
  const auto model = Connection::open(":memory:");
  if (!model) return fail(model.error());
  if (auto made = take_steps(*model, 0, version); !made) return fail(made.error());
  return model->text(kTables);
}

}  // namespace

Result<void> migrate(const Connection& db) {
  const auto version = db.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version < 0 || *version > kMostVersions) {
    return fail(ErrorCode::Parse, "its version makes no sense");
  }
  if (*version > kNewest) {
    return fail(ErrorCode::InvalidArgument, "the state is of version " + std::to_string(*version) +
                                                ", which a newer Tocsin wrote; this one knows " +
                                                std::to_string(kNewest));
  }
  const auto expected = tables_of_version(*version);
  if (!expected) return fail(expected.error());
  const auto found = db.text(kTables);
  if (!found) return fail(found.error());
  if (*found != *expected) {
    return fail(ErrorCode::Parse,
                "its tables are not those of version " + std::to_string(*version));
  }
  return take_steps(db, *version, kNewest);
}

}  // namespace tocsin::state
