// SPDX-License-Identifier: Apache-2.0
#include "net/user_gate.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/file.h"
#include "net/base64.h"
#include "support/run_loop.h"

namespace tocsin::net {
namespace {

using Verdict = UserGate::Verdict;

// Cheap to check: cost 4.
constexpr const char* kAlice = "$2y$04$abcdefghijklmnopqrstuu2GbQLdjwBFdH8CcOE866nGziodmvO8K";
constexpr const char* kBob = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

struct Gate {
  explicit Gate(Users users, UserGateOptions options = {.pause = Duration(0)})
      : gate(UserGate::make(std::move(users), loop, options)) {}

  void ask(const std::string& pair, const std::string& address = "10.0.0.1") {
    gate->check(address, "Basic " + encode_base64(pair),
                [this](Verdict verdict) { verdicts.push_back(verdict); });
  }
  Verdict verdict_on(const std::string& pair) {
    verdicts.clear();
    ask(pair);
    REQUIRE(testing::run_until(loop, [&] { return !verdicts.empty(); }));
    return verdicts.front();
  }

  SystemClock clock;
  Loop loop{clock};
  std::shared_ptr<UserGate> gate;
  std::vector<Verdict> verdicts;
};

TEST_CASE("passwords are held against bcrypt hashes, and against plain ones") {
  Gate gate({{"alice", kAlice}, {"bob", kBob}, {"carol", "open:sesame"}, {"dave", ""}});
  struct Case {
    const char* pair;
    Verdict verdict;
  };
  const Case cases[] = {
      {"alice:open:sesame", Verdict::Welcome},
      {"alice:open:sesam", Verdict::Unknown},
      {"alice:", Verdict::Unknown},
      {"bob:secret", Verdict::Welcome},
      {"bob:open:sesame", Verdict::Unknown},
      {"carol:open:sesame", Verdict::Welcome},
      {"carol:open", Verdict::Unknown},
      {"dave:", Verdict::Welcome},
      {"dave:x", Verdict::Unknown},
      {"eve:open:sesame", Verdict::Unknown},
      {"alice", Verdict::Unknown},
      {":", Verdict::Unknown},
      {"", Verdict::Unknown},
      {kAlice, Verdict::Unknown},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pair);
    CHECK(gate.verdict_on(c.pair) == c.verdict);
  }
  CHECK(gate.verdict_on(std::string("alice:") + kAlice) == Verdict::Unknown);
  CHECK(gate.verdict_on(std::string("bob:secret\0x", 12)) == Verdict::Unknown);
}

TEST_CASE("who was let in once is let in at once") {
  Gate gate(Users{{"alice", kAlice}});
  CHECK(gate.verdict_on("alice:open:sesame") == Verdict::Welcome);
  gate.verdicts.clear();
  gate.ask("alice:open:sesame");
  CHECK(gate.verdicts == std::vector{Verdict::Welcome});
}

TEST_CASE("an address that guesses waits, and holds up nobody else") {
  Gate gate({{"alice", kAlice}, {"carol", "plain"}},
            {.pause = std::chrono::hours(1), .most_waiting = 3, .most_of_address = 2});
  CHECK(gate.verdict_on("alice:open:sesame") == Verdict::Welcome);
  gate.verdicts.clear();
  for (int i = 0; i < 5; ++i) gate.ask("alice:guess", "10.0.0.2");
  CHECK(gate.verdicts == std::vector(3, Verdict::Busy));
  gate.verdicts.clear();
  gate.ask("alice:open:sesame");
  gate.ask("alice:open:sesame", "10.0.0.2");
  gate.ask("carol:plain", "10.0.0.2");
  CHECK(gate.verdicts == std::vector(3, Verdict::Welcome));
  gate.verdicts.clear();
  gate.ask("alice:guess", "10.0.0.3");
  gate.ask("alice:guess", "10.0.0.4");
  CHECK(gate.verdicts == std::vector{Verdict::Busy});
  gate.gate.reset();
}

TEST_CASE("who waits when the gate goes is told to come again") {
  Gate gate(Users{{"alice", kAlice}}, {.pause = std::chrono::hours(1)});
  SUBCASE("before the password has been checked") { gate.ask("alice:guess"); }
  SUBCASE("after it was found to be wrong") {
    bool found = false;
    gate.ask("alice:guess");
    gate.gate->check("10.0.0.2", "Basic " + encode_base64("alice:open:sesame"),
                     [&](Verdict) { found = true; });
    REQUIRE(testing::run_until(gate.loop, [&] { return found; }));
  }
  CHECK(gate.verdicts.empty());
  gate.gate.reset();
  CHECK(gate.verdicts == std::vector{Verdict::Busy});
}

TEST_CASE("a refusal makes room for the next attempt") {
  Gate gate(Users{{"alice", kAlice}},
            {.pause = Duration(0), .most_waiting = 1, .most_of_address = 1});
  for (int i = 0; i < 3; ++i) CHECK(gate.verdict_on("alice:guess") == Verdict::Unknown);
  CHECK(gate.verdict_on("alice:open:sesame") == Verdict::Welcome);
}

TEST_CASE("what is no bcrypt hash is none") {
  CHECK(is_bcrypt_hash(kAlice));
  CHECK(is_bcrypt_hash(kBob));
  for (const std::string& text :
       {std::string(), std::string("secret"), std::string(kAlice).substr(1),
        std::string(kAlice) + "x", "$2y$99" + std::string(kAlice).substr(6),
        "$2q" + std::string(kAlice).substr(3), "$2y$04$" + std::string(53, '!')}) {
    CAPTURE(text);
    CHECK_FALSE(is_bcrypt_hash(text));
  }
}

TEST_CASE("the lines of htpasswd are read") {
  const auto path =
      std::filesystem::temp_directory_path() / ("tocsin-htpasswd-" + std::to_string(::getpid()));
  REQUIRE(write_file(path.string(), std::string("# people\r\nalice:") + kAlice + "\r\n\nbob:a:b"));
  CHECK(*read_users(path.string()) == Users{{"alice", kAlice}, {"bob", "a:b"}});
  REQUIRE(write_file(path.string(), "alice:x\nbob\n"));
  CHECK(read_users(path.string()).error().message.ends_with(":2: expected user:password"));
  REQUIRE(write_file(path.string(), "# nobody\n"));
  CHECK_FALSE(read_users(path.string()));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tocsin::net
