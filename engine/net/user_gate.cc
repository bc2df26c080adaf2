// SPDX-License-Identifier: Apache-2.0
#include "net/user_gate.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "net/base64.h"
#include "net/http_types.h"

namespace tocsin::net {
namespace {

constexpr std::size_t kHashSize = 60;
constexpr const char* kHashLetters =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kMostFound = 1000;  // Then the gate forgets whom it knows, and asks again.

// "user:password" of a Basic header.
std::optional<std::string> pair_of(std::string_view authorization) {
  constexpr std::string_view kBasic = "Basic ";
  if (!equal_ignoring_case(authorization.substr(0, kBasic.size()), kBasic)) return std::nullopt;
  auto pair = decode_base64(authorization.substr(kBasic.size()));
  // bcrypt would not see what stands behind a zero.
  constexpr auto kNone = std::string::npos;
  if (!pair || pair->find(':') == kNone || pair->find('\0') != kNone) return std::nullopt;
  return pair;
}

Users only(const Users& users, bool hashed) {
  Users out;
  for (const auto& [name, password] : users) {
    if (is_bcrypt_hash(password) == hashed) out.emplace(name, password);
  }
  return out;
}

// Slow.
bool fits(const std::string& password, const std::string& hash) {
  const auto scratch = std::make_unique<crypt_data>();
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), scratch.get());
  return made != nullptr && std::string_view(made).size() == hash.size() &&
         CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
}

}  // namespace

// $2y$, the cost as two digits, $, salt and hash.
bool is_bcrypt_hash(const std::string& text) {
  if (text.size() != kHashSize || !text.starts_with("$2") || text[3] != '$' || text[6] != '$') {
    return false;
  }
  const std::string_view cost = std::string_view(text).substr(4, 2);
  const bool is_known = text[2] == 'a' || text[2] == 'b' || text[2] == 'y';
  return is_known && cost >= "04" && cost <= "31" &&
         text.find_first_not_of(kHashLetters, 7) == std::string::npos;
}

Result<Users> read_users(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return fail(bytes.error());
  Users users;
  std::size_t begin = 0;
  for (int line_number = 1; begin < bytes->size(); ++line_number) {
    const std::size_t end = std::min(bytes->find('\n', begin), bytes->size());
    std::string line = bytes->substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) {
      return fail(ErrorCode::Parse,
                  path + ":" + std::to_string(line_number) + ": expected user:password");
    }
    users[line.substr(0, colon)] = line.substr(colon + 1);
  }
  if (users.empty()) return fail(ErrorCode::Parse, path + ": no users in it");
  return users;
}

std::shared_ptr<UserGate> UserGate::make(Users users, Loop& loop, UserGateOptions options) {
  return std::shared_ptr<UserGate>(new UserGate(std::move(users), loop, options));
}

UserGate::UserGate(Users users, Loop& loop, UserGateOptions options)
    : hashed_(only(users, true)), loop_(loop), options_(options) {
  RAND_bytes(key_.data(), static_cast<int>(key_.size()));
  for (const auto& [name, password] : only(users, false)) {
    plain_.insert(digest_of(name + ":" + password));
  }
  if (!hashed_.empty()) worker_.emplace(1);
}

UserGate::~UserGate() {
  for (const auto& [number, attempt] : std::exchange(waiting_, {})) attempt.answer(Verdict::Busy);
}

// Two digests say nothing about how much of the pairs is the same, so they may be compared in any
// way.
std::string UserGate::digest_of(std::string_view pair) const {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(pair.data()), pair.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(size);
  return out;
}

// Somebody else's for whoever has none: to refuse an unknown name takes as long as a known one.
std::string UserGate::hash_of(const std::string& user) const {
  const auto it = hashed_.find(user);
  return it == hashed_.end() ? hashed_.begin()->second : it->second;
}

void UserGate::check(const std::string& address, std::string_view authorization, Answer answer) {
  const auto pair = pair_of(authorization);
  if (!pair) return answer(Verdict::Unknown);
  std::string digest = digest_of(*pair);
  if (plain_.contains(digest) || found_.contains(digest)) return answer(Verdict::Welcome);
  if (!worker_) return answer(Verdict::Unknown);
  std::size_t& of_address = waiting_by_address_[address];
  if (waiting_.size() >= options_.most_waiting || of_address >= options_.most_of_address) {
    if (of_address == 0) waiting_by_address_.erase(address);
    return answer(Verdict::Busy);
  }
  ++of_address;
  const std::uint64_t attempt = ++last_attempt_;
  waiting_.emplace(attempt, Attempt{address, std::move(answer)});
  const std::string user = pair->substr(0, pair->find(':'));
  run_on(
      *worker_, loop_,
      [password = pair->substr(user.size() + 1), hash = hash_of(user),
       is_known = hashed_.contains(user)] { return fits(password, hash) && is_known; },
      [weak = weak_from_this(), attempt, digest = std::move(digest)](bool fits) {
        if (const auto gate = weak.lock()) gate->judge(attempt, digest, fits);
      });
}

void UserGate::judge(std::uint64_t attempt, const std::string& digest, bool fits) {
  if (fits) {
    if (found_.size() >= kMostFound) found_.clear();
    found_.insert(digest);
    return conclude(attempt, Verdict::Welcome);
  }
  loop_.after(options_.pause, [weak = weak_from_this(), attempt] {
    if (const auto gate = weak.lock()) gate->conclude(attempt, Verdict::Unknown);
  });
}

void UserGate::conclude(std::uint64_t attempt, Verdict verdict) {
  const auto concluded = waiting_.extract(attempt);
  const auto& [address, answer] = concluded.mapped();
  const auto it = waiting_by_address_.find(address);
  if (--it->second == 0) waiting_by_address_.erase(it);
  answer(verdict);
}

}  // namespace tocsin::net
