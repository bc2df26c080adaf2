// SPDX-License-Identifier: Apache-2.0
#include "state/database.h"

#include <array>
#include <filesystem>
#include <system_error>

#include "state/encoding.h"

namespace tocsin::state {
namespace {

namespace fs = std::filesystem;

// Step n takes a file of version n to version n + 1. Steps are only ever added.
constexpr std::array<std::string_view, 1> kMigrations{R"(
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
)"};

constexpr std::string_view kPutAlert =
    "INSERT OR REPLACE INTO alerts VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

bool is_damage(const Error& error) { return error.code == ErrorCode::Parse; }

Result<void> make_folder(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (folder.empty() || fs::exists(folder, error)) return {};
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::Io, "cannot make " + folder.string() + ": " + error.message());
  fs::permissions(folder, fs::perms::owner_all, error);
  return {};
}

// Moves the file and what SQLite keeps beside it out of the way.
Result<std::string> set_file_aside(const std::string& path, Timestamp now) {
  const std::string aside = path + ".damaged-" + std::to_string(to_millis(now));
  std::error_code error;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (!fs::exists(path + suffix, error)) continue;
    fs::rename(path + suffix, aside + suffix, error);
    if (error) {
      return fail(ErrorCode::Io, path + " is damaged and cannot be set aside: " + error.message());
    }
  }
  return aside;
}

// Runs `each` for every row of `sql`.
template <class Each>
Result<void> for_each_row(const Connection& db, std::string_view sql, Each each) {
  auto rows = Statement::prepare(db, sql);
  if (!rows) return fail(rows.error());
  for (;;) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    each(*rows);
  }
}

alert::State state_of(std::int64_t number) {
  return number == 1   ? alert::State::Pending
         : number == 2 ? alert::State::Firing
                       : alert::State::Inactive;
}

std::int64_t number_of(alert::State state) { return static_cast<std::int64_t>(state); }

// In the order of the columns.
std::optional<SavedAlert> read_alert(Statement& row) {
  SavedAlert saved;
  saved.rule_id = row.next_text();
  auto labels = decode_labels(row.next_text());
  saved.content_id = row.next_text();
  saved.rule_name = row.next_text();
  alert::Alert& alert = saved.alert;
  alert.state = state_of(row.next_number());
  alert.value = row.next_double();
  auto annotations = decode_texts(row.next_text());
  alert.active_at = row.next_time();
  alert.fired_at = row.next_optional_time();
  alert.resolved_at = row.next_optional_time();
  alert.keep_firing_since = row.next_optional_time();
  alert.last_sent_at = row.next_optional_time();
  const auto blind_since = row.next_optional_time();
  std::string cause(row.next_text());
  std::string reason(row.next_text());
  if (blind_since) {
    alert.blind =
        alert::Blindness{*blind_since, {std::move(cause), std::move(reason)}, *blind_since};
  }
  alert.flapping_since = row.next_optional_time();
  alert.looks = static_cast<std::uint32_t>(row.next_number());
  alert.last_look = row.next_time();
  const bool is_sound = alert.state != alert::State::Inactive || alert.resolved_at;
  if (!labels || !annotations || !is_sound) return std::nullopt;
  alert.labels = std::move(*labels);
  alert.annotations = std::move(*annotations);
  return saved;
}

}  // namespace

// ---- Opening.

Result<Database> Database::open(const std::string& path, Timestamp now) {
  if (auto made = make_folder(path); !made) return fail(made.error());
  auto database = open_sound(path);
  if (database || !is_damage(database.error())) return database;
  const std::string damage = database.error().message;
  const auto aside = set_file_aside(path, now);
  if (!aside) return fail(aside.error());
  database = open_sound(path);
  if (database) {
    database->set_aside_ = "the state in " + path + " is damaged (" + damage +
                           "): it is set aside as " + *aside +
                           ", and alerts begin anew, as after a first start";
  }
  return database;
}

Result<Database> Database::open_sound(const std::string& path) {
  auto connection = Connection::open(path);
  if (!connection) return fail(connection.error().in("open " + path));
  std::error_code error;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, error);
  Database database(std::move(*connection));
  const Connection& db = database.db_;
  // Exclusive: two processes that page for the same alerts page twice.
  for (const char* setting : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
                              "PRAGMA synchronous=FULL", "BEGIN IMMEDIATE", "COMMIT"}) {
    if (const auto set = db.run(setting); !set) {
      if (set.error().code != ErrorCode::Unavailable) return fail(set.error().in("open " + path));
      return fail(ErrorCode::Unavailable,
                  path + " is in use by another Tocsin: give each its own storage.path");
    }
  }
  const auto check = db.text("PRAGMA quick_check(1)");
  if (!check) return fail(check.error().in("read " + path));
  if (*check != "ok") return fail(ErrorCode::Parse, *check);
  if (auto migrated = database.migrate(); !migrated) return fail(migrated.error().in(path));
  return database;
}

Result<void> Database::migrate() {
  const auto version = db_.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version < 0 || *version > static_cast<std::int64_t>(kMigrations.size())) {
    return fail(ErrorCode::InvalidArgument, "the state is of version " + std::to_string(*version) +
                                                ", which a newer Tocsin wrote; this one knows " +
                                                std::to_string(kMigrations.size()));
  }
  for (auto step = static_cast<std::size_t>(*version); step < kMigrations.size(); ++step) {
    const std::string sql = "BEGIN IMMEDIATE;" + std::string(kMigrations[step]) +
                            "PRAGMA user_version=" + std::to_string(step + 1) + ";COMMIT";
    if (auto done = db_.run(sql); !done) {
      (void)db_.run("ROLLBACK");
      return fail(done.error());
    }
  }
  return {};
}

// ---- Writing.

Result<void> Database::apply(const Change& change) {
  if (auto begun = db_.run("BEGIN IMMEDIATE"); !begun) return begun;
  auto written = write(change);
  if (written) written = db_.run("COMMIT");
  // A transaction that failed may have been rolled back already.
  if (!written) (void)db_.run("ROLLBACK");
  return written;
}

Result<void> Database::write(const Change& change) {
  for (const auto part :
       {&Database::write_alerts, &Database::write_messages, &Database::write_groups,
        &Database::write_history, &Database::write_samples}) {
    if (auto written = (this->*part)(change); !written) return written;
  }
  return {};
}

Result<void> Database::write_alerts(const Change& change) {
  if (change.alerts.empty()) return {};
  auto put = Statement::prepare(db_, kPutAlert);
  if (!put) return fail(put.error());
  auto remove = Statement::prepare(db_, "DELETE FROM alerts WHERE rule_id=? AND labels=?");
  if (!remove) return fail(remove.error());
  for (const auto& [key, saved] : change.alerts) {
    Statement& row = saved ? *put : *remove;
    row.bind(key.rule_id).bind_blob(encode(key.labels));
    if (saved) {
      const alert::Alert& alert = saved->alert;
      row.bind(saved->content_id).bind(saved->rule_name).bind(number_of(alert.state));
      row.bind(alert.value).bind_blob(encode(alert.annotations)).bind(alert.active_at);
      row.bind(alert.fired_at).bind(alert.resolved_at).bind(alert.keep_firing_since);
      row.bind(alert.last_sent_at);
      row.bind(alert.blind ? std::optional(alert.blind->since) : std::nullopt);
      row.bind(alert.blind ? std::string_view(alert.blind->obstacle.cause) : "");
      row.bind(alert.blind ? std::string_view(alert.blind->obstacle.reason) : "");
      row.bind(alert.flapping_since).bind(std::int64_t{alert.looks}).bind(alert.last_look);
    }
    if (auto done = row.execute(); !done) return done;
  }
  return {};
}

Result<void> Database::write_messages(const Change& change) {
  if (change.messages.empty()) return {};
  auto put = Statement::prepare(db_, "INSERT OR REPLACE INTO messages VALUES(?,?,?,?)");
  if (!put) return fail(put.error());
  auto remove = Statement::prepare(db_, "DELETE FROM messages WHERE receiver=? AND key=?");
  if (!remove) return fail(remove.error());
  for (const auto& [key, saved] : change.messages) {
    Statement& row = saved ? *put : *remove;
    row.bind(key.receiver).bind(key.key);
    if (saved) row.bind(saved->content).bind(saved->decided_at);
    if (auto done = row.execute(); !done) return done;
  }
  return {};
}

Result<void> Database::write_groups(const Change& change) {
  if (change.groups.empty()) return {};
  auto put = Statement::prepare(db_, "INSERT OR REPLACE INTO groups VALUES(?,?)");
  if (!put) return fail(put.error());
  auto remove = Statement::prepare(db_, "DELETE FROM groups WHERE key=?");
  if (!remove) return fail(remove.error());
  for (const auto& [key, content] : change.groups) {
    Statement& row = content ? *put : *remove;
    row.bind(key);
    if (content) row.bind(*content);
    if (auto done = row.execute(); !done) return done;
  }
  return {};
}

Result<void> Database::write_history(const Change& change) {
  if (change.history_from) {
    auto prune = Statement::prepare(db_, "DELETE FROM history WHERE at < ?");
    if (!prune) return fail(prune.error());
    if (auto done = prune->bind(*change.history_from).execute(); !done) return done;
  }
  if (change.history.empty()) return {};
  auto put = Statement::prepare(db_, "INSERT INTO history VALUES(?,?,?,?,?,?,?)");
  if (!put) return fail(put.error());
  for (const HistoryEntry& entry : change.history) {
    put->bind(entry.at).bind(entry.rule_name).bind(number_of(entry.from));
    put->bind(number_of(entry.to)).bind_blob(encode(entry.labels)).bind(entry.value);
    if (auto done = put->bind(entry.summary).execute(); !done) return done;
  }
  return {};
}

Result<void> Database::write_samples(const Change& change) {
  if (change.samples_from) {
    auto prune = Statement::prepare(db_, "DELETE FROM samples WHERE at < ?");
    if (!prune) return fail(prune.error());
    if (auto done = prune->bind(*change.samples_from).execute(); !done) return done;
    auto idle = db_.run("DELETE FROM series WHERE id NOT IN (SELECT series FROM samples)");
    if (!idle) return idle;
  }
  if (change.samples.empty()) return {};
  auto name = Statement::prepare(db_, "INSERT OR IGNORE INTO series(labels) VALUES(?)");
  if (!name) return fail(name.error());
  auto put = Statement::prepare(
      db_, "INSERT OR REPLACE INTO samples SELECT ?, id, ? FROM series WHERE labels=?");
  if (!put) return fail(put.error());
  for (const RecordedSample& sample : change.samples) {
    const std::string labels = encode(sample.labels);
    if (auto done = name->bind_blob(labels).execute(); !done) return done;
    if (auto done = put->bind(sample.at).bind(sample.value).bind_blob(labels).execute(); !done) {
      return done;
    }
  }
  return {};
}

// ---- Reading.

Result<Saved> Database::load() {
  Saved saved;
  for (const auto part : {&Database::load_alerts, &Database::load_messages, &Database::load_groups,
                          &Database::load_history, &Database::load_samples}) {
    if (auto loaded = (this->*part)(saved); !loaded) return fail(loaded.error());
  }
  return saved;
}

Result<void> Database::load_alerts(Saved& saved) {
  return for_each_row(db_, "SELECT * FROM alerts", [&](Statement& row) {
    if (auto alert = read_alert(row)) {
      saved.alerts.push_back(std::move(*alert));
    } else {
      ++saved.damaged_rows;
    }
  });
}

Result<void> Database::load_messages(Saved& saved) {
  return for_each_row(db_, "SELECT * FROM messages", [&](Statement& row) {
    MessageKey key{std::string(row.next_text()), std::string(row.next_text())};
    SavedMessage message{std::string(row.next_text()), row.next_time()};
    saved.messages.emplace_back(std::move(key), std::move(message));
  });
}

Result<void> Database::load_groups(Saved& saved) {
  return for_each_row(db_, "SELECT * FROM groups", [&](Statement& row) {
    std::string key(row.next_text());
    saved.groups.emplace(std::move(key), row.next_text());
  });
}

Result<void> Database::load_samples(Saved& saved) {
  constexpr std::string_view kSelect =
      "SELECT labels, at, value FROM samples JOIN series ON series.id = samples.series "
      "ORDER BY series.id, at";
  return for_each_row(db_, kSelect, [&](Statement& row) {
    auto labels = decode_labels(row.next_text());
    const Timestamp at = row.next_time();
    if (labels) {
      saved.samples.push_back({std::move(*labels), at, row.next_double()});
    } else {
      ++saved.damaged_rows;
    }
  });
}

Result<void> Database::load_history(Saved& saved) {
  const std::string select =
      "SELECT * FROM history ORDER BY at DESC, rowid DESC LIMIT " + std::to_string(kHistoryLoaded);
  return for_each_row(db_, select, [&](Statement& row) {
    HistoryEntry entry;
    entry.at = row.next_time();
    entry.rule_name = row.next_text();
    entry.from = state_of(row.next_number());
    entry.to = state_of(row.next_number());
    auto labels = decode_labels(row.next_text());
    entry.value = row.next_double();
    entry.summary = row.next_text();
    if (!labels) return void(++saved.damaged_rows);
    entry.labels = std::move(*labels);
    saved.history.push_back(std::move(entry));
  });
}

}  // namespace tocsin::state
