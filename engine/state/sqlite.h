// SPDX-License-Identifier: Apache-2.0
//
// SQLite, thinly: a connection and prepared statements that close themselves and return Results.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/clock.h"
#include "tocsin/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tocsin::state {

// Errors: Limit (the disk is full), Unavailable (another process has the file), Parse (the file is
// damaged, no database, or has other tables than the statement asks for), Io (everything else).
class Connection {
 public:
  // Fails with Io if the file may not be written.
  static Result<Connection> open(const std::string& path);

  // One or several statements without values.
  Result<void> run(const std::string& sql) const;
  // The one number that the statement yields.
  Result<std::int64_t> number(const std::string& sql) const;
  // The one text.
  Result<std::string> text(const std::string& sql) const;

  // Whether closing moves the log into the file and removes it, which is the default. Without,
  // closing changes nothing.
  void tidy_on_close(bool tidy) const;

  // Whether it cannot be written; known once something was read.
  bool is_read_only() const;

  sqlite3* get() const { return handle_.get(); }
  Error last_error() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

// A statement with its values: bind them from the left, then step.
class Statement {
 public:
  static Result<Statement> prepare(const Connection& db, std::string_view sql);

  Statement& bind(std::string_view text);  // Copied.
  Statement& bind_blob(std::string_view bytes);
  Statement& bind(std::int64_t number);
  Statement& bind(double number);
  Statement& bind(Timestamp at) { return bind(std::int64_t{to_millis(at)}); }
  Statement& bind(const std::optional<Timestamp>& at);

  // Whether there is a row to read.
  Result<bool> step();
  // Executes and makes ready for the next values.
  Result<void> execute();

  // The columns of the row, from the left. Views live until the next step.
  std::string_view next_text();
  std::int64_t next_number();
  double next_double();
  Timestamp next_time();
  std::optional<Timestamp> next_optional_time();
  // Whether what was read of this row was of the type that was asked for, and every moment one of
  // the years 1970 to 9999. SQLite does not notice a damaged value.
  bool is_sound() const { return is_sound_; }

 private:
  Statement(const Connection& db, sqlite3_stmt* statement) : db_(&db), statement_(statement) {}

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  const Connection* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  int read_ = 0;
  bool is_sound_ = true;
};

}  // namespace tocsin::state
