// SPDX-License-Identifier: Apache-2.0
#include "state/sqlite.h"

#include <sqlite3.h>

#include "tocsin/sample.h"

namespace tocsin::state {
namespace {

constexpr Timestamp kYear10000 = from_millis(253'402'300'800'000);

// Statements are ours and right: one that SQLite does not understand was prepared for other tables
// than the file has.
ErrorCode code_of(int status) {
  if (status == SQLITE_ERROR) return ErrorCode::Parse;
  switch (status & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::Limit;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::Unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return ErrorCode::Parse;
    default:
      return ErrorCode::Io;
  }
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Error Connection::last_error() const {
  return {code_of(sqlite3_extended_errcode(get())), sqlite3_errmsg(get())};
}

Result<Connection> Connection::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection db;
  db.handle_.reset(handle);
  if (!handle) return fail(ErrorCode::Io, "no memory for SQLite");
  if (status != SQLITE_OK) return fail(db.last_error());
  if (db.is_read_only()) return fail(ErrorCode::Io, "it may not be written");
  return db;
}

bool Connection::is_read_only() const { return sqlite3_db_readonly(get(), "main") == 1; }

void Connection::tidy_on_close(bool tidy) const {
  sqlite3_db_config(get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, tidy ? 0 : 1, nullptr);
}

Result<void> Connection::run(const std::string& sql) const {
  if (sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return fail(last_error());
  }
  return {};
}

Result<std::int64_t> Connection::number(const std::string& sql) const {
  auto statement = Statement::prepare(*this, sql);
  if (!statement) return fail(statement.error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->next_number() : 0;
}

Result<std::string> Connection::text(const std::string& sql) const {
  auto statement = Statement::prepare(*this, sql);
  if (!statement) return fail(statement.error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return std::string(*row ? statement->next_text() : "");
}

Result<Statement> Statement::prepare(const Connection& db, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    return fail(db.last_error());
  }
  return Statement(db, statement);
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(statement_.get(), ++bound_, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), ++bound_, number);
  return *this;
}

// SQLite makes NULL of NaN; next_double() makes NaN of NULL.
Statement& Statement::bind(double number) {
  sqlite3_bind_double(statement_.get(), ++bound_, number);
  return *this;
}

Statement& Statement::bind(const std::optional<Timestamp>& at) {
  if (at) return bind(*at);
  sqlite3_bind_null(statement_.get(), ++bound_);
  return *this;
}

Result<bool> Statement::step() {
  read_ = 0;
  is_sound_ = true;
  const int status = sqlite3_step(statement_.get());
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  return fail(db_->last_error());
}

Result<void> Statement::execute() {
  const auto row = step();
  const Result<void> result = row ? Result<void>{} : fail(row.error());
  sqlite3_reset(statement_.get());
  bound_ = 0;
  return result;
}

std::string_view Statement::next_text() {
  const int column = read_++;
  const int type = sqlite3_column_type(statement_.get(), column);
  is_sound_ = is_sound_ && (type == SQLITE_TEXT || type == SQLITE_BLOB);
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes ? std::string_view(static_cast<const char*>(bytes), size) : std::string_view();
}

std::int64_t Statement::next_number() {
  const int column = read_++;
  is_sound_ = is_sound_ && sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
  return sqlite3_column_int64(statement_.get(), column);
}

Timestamp Statement::next_time() {
  const Timestamp at = from_millis(next_number());
  is_sound_ = is_sound_ && at >= Timestamp{} && at < kYear10000;
  return at;
}

double Statement::next_double() {
  const int column = read_++;
  const int type = sqlite3_column_type(statement_.get(), column);
  if (type == SQLITE_NULL) return normal_nan();
  is_sound_ = is_sound_ && type == SQLITE_FLOAT;
  return sqlite3_column_double(statement_.get(), column);
}

std::optional<Timestamp> Statement::next_optional_time() {
  if (sqlite3_column_type(statement_.get(), read_) == SQLITE_NULL) {
    ++read_;
    return std::nullopt;
  }
  return next_time();
}

}  // namespace tocsin::state
