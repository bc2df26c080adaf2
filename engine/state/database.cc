// SPDX-License-Identifier: Apache-2.0
#include "state/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "state/encoding.h"
#include "state/schema.h"

namespace tocsin::state {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPutAlert =
    "INSERT OR REPLACE INTO alerts VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

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

// SQLite gives its files the permissions of this one. One that exists must not be opened here:
// closing it would take away the locks that this process has on it.
void make_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file >= 0) ::close(file);
  std::error_code error;  // Whoever cannot be the owner may still be allowed to write.
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, error);
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

// Runs `each` for every row of `sql`; it says whether the row could be read.
template <class Each>
Result<void> for_each_row(const Connection& db, std::string_view sql, std::size_t& damaged,
                          Each each) {
  auto rows = Statement::prepare(db, sql);
  if (!rows) return fail(rows.error());
  for (;;) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    if (!each(*rows)) ++damaged;
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
  auto values = decode_numbers(row.next_text());
  const bool is_sound = alert.state != alert::State::Inactive || alert.resolved_at;
  if (!labels || !annotations || !values || !is_sound || !row.is_sound()) return std::nullopt;
  if (values->size() > alert::kMostValues) return std::nullopt;
  alert.labels = std::move(*labels);
  alert.annotations = std::move(*annotations);
  alert.values = std::move(*values);
  return saved;
}

std::optional<HistoryEntry> read_entry(Statement& row) {
  HistoryEntry entry;
  entry.at = row.next_time();
  entry.rule_name = row.next_text();
  entry.from = state_of(row.next_number());
  entry.to = state_of(row.next_number());
  auto labels = decode_labels(row.next_text());
  entry.value = row.next_double();
  entry.summary = row.next_text();
  if (!labels || !row.is_sound()) return std::nullopt;
  entry.labels = std::move(*labels);
  return entry;
}

// Exclusive: two processes that page for the same alerts page twice. One that is just ending is
// waited for. The log beside the file does not stay as long as its longest moment.
constexpr const char* kOpening[] = {"PRAGMA busy_timeout=1000",
                                    "PRAGMA locking_mode=EXCLUSIVE",
                                    "PRAGMA trusted_schema=OFF",
                                    "PRAGMA journal_mode=WAL",
                                    "PRAGMA journal_size_limit=16777216",
                                    "PRAGMA cell_size_check=ON",
                                    "PRAGMA synchronous=FULL",
                                    "BEGIN IMMEDIATE",
                                    "COMMIT"};

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
  make_private(path);
  auto connection = Connection::open(path);
  if (!connection) return fail(connection.error().in("open " + path));
  Database database(std::move(*connection));
  const Connection& db = database.db_;
  db.tidy_on_close(false);  // A damaged file is set aside as it was found.
  for (const char* setting : kOpening) {
    if (const auto set = db.run(setting); !set) {
      if (set.error().code != ErrorCode::Unavailable) return fail(set.error().in("open " + path));
      return fail(ErrorCode::Unavailable,
                  path + " is in use by another Tocsin: give each its own storage.path");
    }
  }
  // It may be written, or it would not have been opened; so it is the header that says this.
  if (db.is_read_only()) return fail(ErrorCode::Parse, "its header makes no sense");
  const auto check = db.text("PRAGMA integrity_check(1)");
  if (!check) return fail(check.error().in("read " + path));
  if (*check != "ok") return fail(ErrorCode::Parse, *check);
  if (auto migrated = migrate(db); !migrated) return fail(migrated.error().in(path));
  db.tidy_on_close(true);
  return database;
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
  for (const auto part : {&Database::write_alerts, &Database::write_messages,
                          &Database::write_history, &Database::write_samples}) {
    if (auto written = (this->*part)(change); !written) return written;
  }
  if (auto written = write_texts("groups", change.groups); !written) return written;
  if (auto written = write_texts("settings", change.settings); !written) return written;
  return write_texts("silences", change.silences);
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
      row.bind_blob(encode(alert.values));
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

Result<void> Database::write_texts(std::string_view table,
                                   const std::map<std::string, std::optional<std::string>>& texts) {
  if (texts.empty()) return {};
  auto put =
      Statement::prepare(db_, "INSERT OR REPLACE INTO " + std::string(table) + " VALUES(?,?)");
  if (!put) return fail(put.error());
  auto remove = Statement::prepare(db_, "DELETE FROM " + std::string(table) + " WHERE key=?");
  if (!remove) return fail(remove.error());
  for (const auto& [key, content] : texts) {
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
  for (const auto part :
       {&Database::load_alerts, &Database::load_messages, &Database::load_samples}) {
    if (auto loaded = (this->*part)(saved); !loaded) return fail(loaded.error());
  }
  if (auto loaded = load_texts("groups", saved.groups, saved.damaged_rows); !loaded) {
    return fail(loaded.error());
  }
  if (auto loaded = load_texts("settings", saved.settings, saved.damaged_rows); !loaded) {
    return fail(loaded.error());
  }
  if (auto loaded = load_texts("silences", saved.silences, saved.damaged_rows); !loaded) {
    return fail(loaded.error());
  }
  auto newest = entries(Timestamp::min(), Timestamp::max(), kHistoryLoaded, saved.damaged_rows);
  if (!newest) return fail(newest.error());
  saved.history = std::move(*newest);
  return saved;
}

Result<void> Database::load_alerts(Saved& saved) {
  return for_each_row(db_, "SELECT * FROM alerts", saved.damaged_rows, [&](Statement& row) {
    auto alert = read_alert(row);
    if (alert) saved.alerts.push_back(std::move(*alert));
    return alert.has_value();
  });
}

Result<void> Database::load_messages(Saved& saved) {
  return for_each_row(db_, "SELECT * FROM messages", saved.damaged_rows, [&](Statement& row) {
    MessageKey key{std::string(row.next_text()), std::string(row.next_text())};
    SavedMessage message{std::string(row.next_text()), row.next_time()};
    if (row.is_sound()) saved.messages.emplace_back(std::move(key), std::move(message));
    return row.is_sound();
  });
}

Result<void> Database::load_texts(std::string_view table, std::map<std::string, std::string>& texts,
                                  std::size_t& damaged) {
  return for_each_row(db_, "SELECT * FROM " + std::string(table), damaged, [&](Statement& row) {
    std::string key(row.next_text());
    std::string content(row.next_text());
    if (row.is_sound()) texts.emplace(std::move(key), std::move(content));
    return row.is_sound();
  });
}

Result<void> Database::load_samples(Saved& saved) {
  constexpr std::string_view kSelect =
      "SELECT labels, at, value FROM samples JOIN series ON series.id = samples.series "
      "ORDER BY series.id, at";
  return for_each_row(db_, kSelect, saved.damaged_rows, [&](Statement& row) {
    auto labels = decode_labels(row.next_text());
    const Timestamp at = row.next_time();
    const double value = row.next_double();
    if (!labels || !row.is_sound()) return false;
    saved.samples.push_back({std::move(*labels), at, value});
    return true;
  });
}

Result<std::vector<HistoryEntry>> Database::history(Timestamp from, Timestamp to,
                                                    std::size_t limit) {
  std::size_t damaged = 0;
  return entries(from, to, limit, damaged);
}

Result<std::vector<HistoryEntry>> Database::entries(Timestamp from, Timestamp to, std::size_t limit,
                                                    std::size_t& damaged) {
  const std::string select =
      "SELECT * FROM history WHERE at >= " + std::to_string(to_millis(from)) + " AND at < " +
      std::to_string(to_millis(to)) + " ORDER BY at DESC, rowid DESC LIMIT " +
      std::to_string(limit);
  std::vector<HistoryEntry> out;
  auto read = for_each_row(db_, select, damaged, [&](Statement& row) {
    auto entry = read_entry(row);
    if (entry) out.push_back(std::move(*entry));
    return entry.has_value();
  });
  if (!read) return fail(read.error());
  return out;
}

std::uint64_t Database::bytes() {
  const auto pages = db_.number("PRAGMA page_count");
  const auto page = db_.number("PRAGMA page_size");
  return pages && page ? static_cast<std::uint64_t>(*pages * *page) : 0;
}

}  // namespace tocsin::state
