// SPDX-License-Identifier: Apache-2.0
//
// UserGate says who may ask: basic authentication against users whose passwords are bcrypt hashes,
// as in Prometheus' web config, or plain text.
//
// A hash takes tens of milliseconds to check, so that is done by a thread of the gate's own, one
// after the other. Who has been let in is known from then on, by a keyed hash that only this
// process can make. Who is refused hears it a second later, and an address may have a few attempts
// waiting, no more: guessing costs one core at most, and never the loop.
//
// Loop thread only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "net/loop.h"
#include "net/worker_pool.h"
#include "tocsin/result.h"

namespace tocsin::net {

// Name to password: a bcrypt hash, or plain text.
using Users = std::map<std::string, std::string>;

// The lines `user:password` of a file, such as htpasswd -B writes.
Result<Users> read_users(const std::string& path);

// "$2y$10$…", whole.
bool is_bcrypt_hash(const std::string& text);

struct UserGateOptions {
  Duration pause = std::chrono::seconds(1);  // Before somebody is told that they may not ask.
  std::size_t most_waiting = 64;             // Attempts.
  std::size_t most_of_address = 4;
};

class UserGate : public std::enable_shared_from_this<UserGate> {
 public:
  enum class Verdict {
    Welcome,
    Unknown,
    Busy,  // Too many attempts are waiting, or the gate goes: later, perhaps.
  };
  using Answer = std::function<void(Verdict)>;

  // `loop` must outlive the gate.
  static std::shared_ptr<UserGate> make(Users users, Loop& loop, UserGateOptions options = {});
  UserGate(const UserGate&) = delete;
  UserGate& operator=(const UserGate&) = delete;
  // Whoever still waits is told that it is busy.
  ~UserGate();

  // Calls `answer` once, now or later. `address` is the client's, `authorization` its header.
  void check(const std::string& address, std::string_view authorization, Answer answer);

 private:
  using Key = std::array<unsigned char, 32>;
  struct Attempt {
    std::string address;
    Answer answer;
  };

  UserGate(Users users, Loop& loop, UserGateOptions options);
  std::string digest_of(std::string_view pair) const;
  std::string hash_of(const std::string& user) const;
  void judge(std::uint64_t attempt, const std::string& digest, bool fits);
  void conclude(std::uint64_t attempt, Verdict verdict);

  const Users hashed_;
  Loop& loop_;
  const UserGateOptions options_;
  Key key_{};
  // Digests of the pairs `user:password` that are right: the plain ones, and those that were found
  // to fit their hash.
  std::unordered_set<std::string> plain_;
  std::unordered_set<std::string> found_;
  std::uint64_t last_attempt_ = 0;
  std::unordered_map<std::uint64_t, Attempt> waiting_;  // By number.
  std::unordered_map<std::string, std::size_t> waiting_by_address_;
  std::optional<WorkerPool> worker_;  // None without hashes. The last to come, the first to go.
};

}  // namespace tocsin::net
