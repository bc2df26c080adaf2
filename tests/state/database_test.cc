// SPDX-License-Identifier: Apache-2.0
#include "state/database.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "base/file.h"
#include "state/encoding.h"
#include "support/faulty_vfs.h"

namespace tocsin::state {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Timestamp kNow = from_millis(1'795'369'320'000);

// A folder of the test's own, gone when it ends.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("tocsin-state-" + std::to_string(getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::string file() const { return (path / "tocsin.db").string(); }
};

SavedAlert alert_of(const std::string& rule, const std::string& deployment) {
  SavedAlert saved{rule, "content-" + rule, "SuccessRateLow", {}};
  saved.alert.labels = Labels{{"alertname", "SuccessRateLow"}, {"deployment", deployment}};
  saved.alert.annotations = {{"summary", "it fails – \"ü\""}};
  saved.alert.state = alert::State::Firing;
  saved.alert.value = 0.25;
  saved.alert.active_at = kNow;
  saved.alert.fired_at = kNow + 2min;
  saved.alert.last_sent_at = kNow + 3min;
  saved.alert.blind = alert::Blindness{kNow + 4min, {"target t", "no answer"}, kNow + 4min};
  saved.alert.flapping_since = kNow + 5min;
  saved.alert.looks = 0x15555;
  saved.alert.last_look = kNow + 6min;
  return saved;
}

Change put_alert(const SavedAlert& saved) {
  Change change;
  change.alerts[{saved.rule_id, saved.alert.labels}] = saved;
  return change;
}

Database opened(const std::string& path) {
  auto database = Database::open(path, kNow);
  INFO((database ? "" : database.error().message));
  REQUIRE(database.has_value());
  return std::move(*database);
}

Saved loaded(const std::string& path) {
  auto saved = opened(path).load();
  REQUIRE(saved.has_value());
  return std::move(*saved);
}

TEST_CASE("labels and texts come back from bytes as they were; damaged bytes are an error") {
  const Labels labels{{"a", std::string_view("\0\n\"", 3)}, {"path", "ü"}, {"__name__", "up"}};
  CHECK(*decode_labels(encode(labels)) == labels);
  CHECK(*decode_labels("") == Labels());
  const std::map<std::string, std::string> texts{{"", ""}, {"x", std::string(70'000, 'y')}};
  CHECK(*decode_texts(encode(texts)) == texts);
  const std::string bytes = encode(labels);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const auto cut = decode_labels(std::string_view(bytes).substr(0, size));
    if (cut) CHECK(cut->size() < labels.size());
  }
  CHECK_FALSE(decode_labels("\xff\xff\xff\xff").has_value());
}

TEST_CASE("everything that is written is there when the file is opened again") {
  const Folder folder;
  {
    Database database = opened(folder.file());
    Change change = put_alert(alert_of("r1", "web"));
    change.messages[{"chat", "k"}] = SavedMessage{"{\"a\":1}", kNow};
    change.groups["g"] = "told";
    change.history.push_back({kNow, "SuccessRateLow", alert::State::Pending, alert::State::Firing,
                              Labels{{"a", "b"}}, 0.5, "it fails"});
    change.samples = {{Labels{{"__name__", "m"}}, kNow, 1},
                      {Labels{{"__name__", "m"}}, kNow + 15s, 2}};
    REQUIRE(database.apply(change).has_value());
  }
  const Saved saved = loaded(folder.file());
  REQUIRE(saved.alerts.size() == 1);
  const SavedAlert expected = alert_of("r1", "web");
  const alert::Alert& alert = saved.alerts[0].alert;
  CHECK(saved.alerts[0].rule_id == "r1");
  CHECK(saved.alerts[0].content_id == "content-r1");
  CHECK(saved.alerts[0].rule_name == "SuccessRateLow");
  CHECK(alert.labels == expected.alert.labels);
  CHECK(alert.annotations == expected.alert.annotations);
  CHECK(alert.state == alert::State::Firing);
  CHECK(alert.value == 0.25);
  CHECK(alert.active_at == expected.alert.active_at);
  CHECK(alert.fired_at == expected.alert.fired_at);
  CHECK_FALSE(alert.resolved_at.has_value());
  CHECK_FALSE(alert.keep_firing_since.has_value());
  CHECK(alert.last_sent_at == expected.alert.last_sent_at);
  CHECK(alert.blind->since == expected.alert.blind->since);
  CHECK(alert.blind->obstacle.cause == "target t");
  CHECK(alert.blind->obstacle.reason == "no answer");
  CHECK(alert.flapping_since == expected.alert.flapping_since);
  CHECK(alert.looks == expected.alert.looks);
  CHECK(alert.last_look == expected.alert.last_look);
  REQUIRE(saved.messages.size() == 1);
  CHECK(saved.messages[0].first == MessageKey{"chat", "k"});
  CHECK(saved.messages[0].second.content == "{\"a\":1}");
  CHECK(saved.groups.at("g") == "told");
  REQUIRE(saved.history.size() == 1);
  CHECK(saved.history[0].labels == Labels{{"a", "b"}});
  CHECK(saved.history[0].to == alert::State::Firing);
  REQUIRE(saved.samples.size() == 2);
  CHECK(saved.samples[1].at == kNow + 15s);
  CHECK(saved.samples[1].value == 2);
}

TEST_CASE("what is gone is gone, and pruning takes the old") {
  const Folder folder;
  Database database = opened(folder.file());
  Change change = put_alert(alert_of("r1", "web"));
  change.merge(put_alert(alert_of("r1", "api")));
  change.history = {{kNow, "old", {}, {}, {}, 0, ""}, {kNow + 1h, "new", {}, {}, {}, 0, ""}};
  change.samples = {{Labels{{"a", "old"}}, kNow, 1}, {Labels{{"a", "new"}}, kNow + 1h, 1}};
  REQUIRE(database.apply(change).has_value());
  Change next;
  next.alerts[{"r1", alert_of("r1", "web").alert.labels}] = std::nullopt;
  next.history_from = kNow + 30min;
  next.samples_from = kNow + 30min;
  REQUIRE(database.apply(next).has_value());
  const auto saved = database.load();
  REQUIRE(saved->alerts.size() == 1);
  CHECK(saved->alerts[0].alert.labels.get("deployment") == "api");
  REQUIRE(saved->history.size() == 1);
  CHECK(saved->history[0].rule_name == "new");
  REQUIRE(saved->samples.size() == 1);
  CHECK(saved->samples[0].labels.get("a") == "new");
}

TEST_CASE("two changes become one; the later value of a key wins, and so does its going") {
  Change change = put_alert(alert_of("r1", "web"));
  change.groups = {{"a", "1"}, {"b", "1"}};
  Change later;
  later.groups = {{"a", std::nullopt}, {"c", "2"}};
  change.merge(later);
  CHECK(change.alerts.size() == 1);
  CHECK(change.groups.at("a") == std::nullopt);
  CHECK(change.groups.at("b") == "1");
  CHECK(change.groups.at("c") == "2");
  CHECK_FALSE(change.empty());
  CHECK(Change{}.empty());
}

TEST_CASE("a second process is refused") {
  const Folder folder;
  const Database first = opened(folder.file());
  const auto second = Database::open(folder.file(), kNow);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::Unavailable);
  CHECK(second.error().message.find("in use by another Tocsin") != std::string::npos);
}

TEST_CASE("only the owner may read the file") {
  const Folder folder;
  const Database database = opened(folder.file());
  CHECK(fs::status(folder.file()).permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a file of a newer version is refused and left as it is") {
  const Folder folder;
  { const Database database = opened(folder.file()); }
  { REQUIRE(Connection::open(folder.file())->run("PRAGMA user_version=99").has_value()); }
  const auto newer = Database::open(folder.file(), kNow);
  REQUIRE_FALSE(newer.has_value());
  CHECK(newer.error().code == ErrorCode::InvalidArgument);
  CHECK(newer.error().message.find("version 99") != std::string::npos);
  CHECK(*Connection::open(folder.file())->number("PRAGMA user_version") == 99);
}

TEST_CASE("a damaged file is set aside or read, never the end") {
  const Folder folder;
  {
    Database database = opened(folder.file());
    for (int i = 0; i < 50; ++i) {
      REQUIRE(database.apply(put_alert(alert_of("r", std::to_string(i)))).has_value());
    }
  }
  const std::string sound = *read_file(folder.file());
  int aside = 0;
  for (int seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(static_cast<unsigned>(seed));
    std::string bytes = sound;
    if (seed % 4 == 0) bytes.resize(random() % bytes.size());
    for (int flips = 0; flips < (seed % 4 == 0 ? 0 : 1 << (seed % 10)); ++flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    fs::remove_all(folder.path);
    fs::create_directories(folder.path);
    REQUIRE(write_file(folder.file(), bytes).has_value());
    auto database = Database::open(folder.file(), kNow);
    if (!database) {
      // Only the version may say that this is not ours to touch.
      CHECK(database.error().code == ErrorCode::InvalidArgument);
      continue;
    }
    aside += !database->set_aside().empty();
    const auto saved = database->load();
    if (saved) CHECK(saved->alerts.size() <= 50);
    CHECK(database->apply(put_alert(alert_of("r", "new"))).has_value());
  }
  CHECK(aside > 50);
  std::cout << "damaged files set aside: " << aside << " of 200\n";
}

TEST_CASE("a full disk is an error that leaves what was there, and passes") {
  const Folder folder;
  testing::FaultyVfs disk;
  Database database = opened(folder.file());
  REQUIRE(database.apply(put_alert(alert_of("r", "web"))).has_value());
  disk.fill_disk(true);
  const auto refused = database.apply(put_alert(alert_of("r", "api")));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::Limit);
  CHECK(database.load()->alerts.size() == 1);
  disk.fill_disk(false);
  REQUIRE(database.apply(put_alert(alert_of("r", "api"))).has_value());
  CHECK(database.load()->alerts.size() == 2);
}

// Writes changes one after the other and says, through `acknowledged`, how many are durable. Change
// number i puts the alert, the message and the group i, and takes those of i - 3.
void live(const std::string& path, int acknowledged) {
  auto database = Database::open(path, kNow);
  if (!database) _exit(1);
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    Change change = put_alert(alert_of("r", name));
    change.messages[{"chat", name}] = SavedMessage{std::string(3000, 'm'), kNow};
    change.groups[name] = "told";
    const std::string old = std::to_string(i - 3);
    change.alerts[{"r", alert_of("r", old).alert.labels}] = std::nullopt;
    change.messages[{"chat", old}] = std::nullopt;
    change.groups[old] = std::nullopt;
    if (!database->apply(change)) _exit(1);
    const char done = static_cast<char>(i + 1);
    if (write(acknowledged, &done, 1) != 1) _exit(1);
  }
}

// The number of changes that a process acknowledged which died at operation `n`; and whether it
// did die.
struct Death {
  int acknowledged = 0;
  bool died = false;
};
Death die_at(int n, const std::string& path) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    testing::FaultyVfs disk;
    disk.die_at(n);
    live(path, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  Death death;
  char done = 0;
  while (read(ends[0], &done, 1) == 1) death.acknowledged = done;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  death.died = WEXITSTATUS(status) == 9;
  REQUIRE((death.died || WEXITSTATUS(status) == 0));
  return death;
}

// Whether `saved` is what the first `changes` changes leave, or one more: the one that was under
// way.
bool is_after(const Saved& saved, int changes) {
  for (const int count : {changes, changes + 1}) {
    const std::size_t expected = static_cast<std::size_t>(std::min(count, 3));
    const std::string newest = std::to_string(count - 1);
    const bool has_newest = count == 0 || saved.groups.count(newest) > 0;
    if (has_newest && saved.alerts.size() == expected && saved.messages.size() == expected &&
        saved.groups.size() == expected) {
      return true;
    }
  }
  return false;
}

TEST_CASE("killed at any write, what was acknowledged is there, and every change whole or not") {
  const Folder folder;
  int points = 0;
  for (int n = 1;; ++n) {
    CAPTURE(n);
    fs::remove_all(folder.path);
    fs::create_directories(folder.path);
    const Death death = die_at(n, folder.file());
    Database database = opened(folder.file());
    CHECK(database.set_aside().empty());
    const auto saved = database.load();
    REQUIRE(saved.has_value());
    CHECK(saved->damaged_rows == 0);
    CHECK(is_after(*saved, death.acknowledged));
    if (!death.died) break;
    ++points;
  }
  std::cout << "killed at each of " << points << " writes\n";
}

}  // namespace
}  // namespace tocsin::state
