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
#include "support/state_file.h"

namespace tocsin::state {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

TEST_CASE(
    "labels, texts and numbers come back from bytes as they were; damaged bytes are an error") {
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
  const std::string pair = encode(Labels{{"a", "b"}});
  CHECK(decode_labels(pair).has_value());
  CHECK_FALSE(decode_labels(pair + pair).has_value());
  CHECK_FALSE(decode_labels(encode(Labels{{"b", "b"}}) + pair).has_value());
  CHECK_FALSE(decode_labels(encode(std::map<std::string, std::string>{{"a", ""}})).has_value());
  CHECK_FALSE(decode_texts(pair + pair).has_value());
  CHECK_FALSE(decode_labels("\xff\xff\xff\xff").has_value());
  const std::vector<double> numbers{0.99, -0.0, 1e300};
  CHECK(*decode_numbers(encode(numbers)) == numbers);
  CHECK(decode_numbers("")->empty());
  CHECK_FALSE(decode_numbers("1234567").has_value());
}

TEST_CASE("everything that is written is there when the file is opened again") {
  const Folder folder;
  {
    Database database = opened(folder.file());
    Change change = put_alert(alert_of("r1", "web"));
    change.messages[{"chat", "k"}] = SavedMessage{"{\"a\":1}", kNow};
    change.groups["g"] = "told";
    change.settings["instance"] = "one";
    change.silences["s"] = "until noon";
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
  CHECK(alert.values == expected.alert.values);
  REQUIRE(saved.messages.size() == 1);
  CHECK(saved.messages[0].first == MessageKey{"chat", "k"});
  CHECK(saved.messages[0].second.content == "{\"a\":1}");
  CHECK(saved.groups.at("g") == "told");
  CHECK(saved.settings.at("instance") == "one");
  CHECK(saved.silences.at("s") == "until noon");
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

TEST_CASE("the history between two moments, the newest first") {
  const Folder folder;
  Database database = opened(folder.file());
  Change change;
  for (int i = 0; i < 10; ++i) {
    change.history.push_back({kNow + i * 1s, std::to_string(i), {}, {}, {}, 0, ""});
  }
  REQUIRE(database.apply(change).has_value());
  const auto names = [&](Timestamp from, Timestamp to, std::size_t limit) {
    std::string out;
    const auto entries = database.history(from, to, limit);
    REQUIRE(entries.has_value());
    for (const HistoryEntry& entry : *entries) out += entry.rule_name;
    return out;
  };
  CHECK(names(kNow + 2s, kNow + 5s, 100) == "432");
  CHECK(names(kNow, kNow + 1h, 3) == "987");
  CHECK(names(kNow + 1h, kNow + 2h, 3).empty());
}

TEST_CASE("what waits too long makes room, the oldest first, and is counted") {
  Change change;
  for (int i = 0; i < 130'000; ++i) {
    Change next;
    next.samples.push_back({Labels{}, kNow + i * 1ms, 0});
    change.merge(std::move(next));
  }
  CHECK(change.samples.size() + change.dropped == 130'000);
  CHECK(change.dropped > 0);
  CHECK(change.samples.size() >= 100'000);
  CHECK(change.samples.back().at == kNow + 129'999ms);
}

TEST_CASE("a second process is refused, and so is a second connection") {
  const Folder folder;
  const Database first = opened(folder.file());
  const pid_t child = fork();
  if (child == 0) {
    const auto second = Database::open(folder.file(), kNow);
    const bool refused = !second && second.error().code == ErrorCode::Unavailable;
    _exit(refused ? 7 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 7);
  const auto second = Database::open(folder.file(), kNow);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::Unavailable);
  CHECK(second.error().message.find("in use by another Tocsin") != std::string::npos);
}

TEST_CASE("only the owner may read the files, and look into a folder that was made for them") {
  const Folder folder;
  const std::string path = (folder.path / "new" / "tocsin.db").string();
  Database database = opened(path);
  REQUIRE(database.apply(put_alert(alert_of("r", "web"))).has_value());
  const fs::perms own = fs::perms::owner_read | fs::perms::owner_write;
  CHECK(fs::status(path).permissions() == own);
  CHECK(fs::status(path + "-wal").permissions() == own);
  CHECK(fs::status(folder.path / "new").permissions() == fs::perms::owner_all);
}

TEST_CASE("a file of version 1 is migrated and keeps what it had") {
  const Folder folder;
  {
    Database database = opened(folder.file());
    REQUIRE(database.apply(put_alert(alert_of("r", "web"))).has_value());
  }
  {
    const auto older = Connection::open(folder.file());
    REQUIRE(older
                ->run("DROP TABLE settings; DROP TABLE silences; "
                      "ALTER TABLE alerts DROP COLUMN recent_values; PRAGMA user_version=1")
                .has_value());
  }
  {
    Database database = opened(folder.file());
    CHECK(database.set_aside().empty());
    Change change;
    change.settings["instance"] = "one";
    REQUIRE(database.apply(change).has_value());
  }
  const Saved saved = loaded(folder.file());
  REQUIRE(saved.alerts.size() == 1);
  CHECK(saved.alerts[0].alert.values.empty());
  CHECK(saved.settings.size() == 1);
}

TEST_CASE("a file of a newer version is refused and left as it is") {
  const Folder folder;
  { const Database database = opened(folder.file()); }
  { REQUIRE(Connection::open(folder.file())->run("PRAGMA user_version=99").has_value()); }
  const auto newer = Database::open(folder.file(), kNow);
  REQUIRE_FALSE(newer.has_value());
  CHECK(newer.error().code == ErrorCode::InvalidArgument);
  CHECK(newer.error().message.find("version 99") != std::string::npos);
  for (const auto& entry : fs::directory_iterator(folder.path)) {
    CHECK(entry.path().string().find("damaged") == std::string::npos);
  }
  CHECK(*Connection::open(folder.file())->number("PRAGMA user_version") == 99);
}

// A file with something in every table.
std::string sound_bytes(const Folder& folder) {
  {
    Database database = opened(folder.file());
    for (int i = 0; i < 50; ++i) {
      Change change = put_alert(alert_of("r", std::to_string(i)));
      change.messages[{"chat", std::to_string(i)}] = SavedMessage{"{}", kNow};
      change.groups[std::to_string(i)] = "told";
      change.settings[std::to_string(i)] = "x";
      change.history.push_back({kNow, "a", {}, {}, Labels{{"a", "b"}}, 0.5, "it fails"});
      change.samples.push_back({Labels{{"a", std::to_string(i)}}, kNow, 1});
      REQUIRE(database.apply(change).has_value());
    }
  }
  return *read_file(folder.file());
}

// Opens a file of these bytes. Whatever they are, it works, unless the version says that a newer
// Tocsin wrote them. Returns whether the file was set aside.
bool survives(const Folder& folder, const std::string& bytes) {
  fs::remove_all(folder.path);
  fs::create_directories(folder.path);
  REQUIRE(write_file(folder.file(), bytes).has_value());
  auto database = Database::open(folder.file(), kNow);
  if (!database) {
    INFO(database.error().message);
    CHECK(database.error().code == ErrorCode::InvalidArgument);
    return false;
  }
  CHECK(database->load().has_value());
  const auto applied = database->apply(put_alert(alert_of("r", "new")));
  INFO((applied ? "" : applied.error().message));
  CHECK(applied.has_value());
  const bool aside = !database->set_aside().empty();
  if (aside) {
    CHECK(*read_file(folder.file() + ".damaged-" + std::to_string(to_millis(kNow))) == bytes);
  }
  return aside;
}

TEST_CASE("a damaged file is set aside as it was, or read, and never the end") {
  const Folder folder;
  const std::string sound = sound_bytes(folder);
  int aside = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed + 1);
    std::string bytes = sound;
    if (seed % 4 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      for (unsigned flips = 0; flips < 1U << (seed % 10); ++flips) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
    }
    aside += survives(folder, bytes);
  }
  CHECK(aside > 50);
  std::cout << "damaged files set aside: " << aside << " of 200\n";
}

TEST_CASE("garbage is set aside, and an empty file is begun") {
  const Folder folder;
  CHECK(survives(folder, std::string(5000, 'x')));
  CHECK(survives(folder, "no database"));
  CHECK_FALSE(survives(folder, ""));
}

TEST_CASE("any damaged byte of the header or of the tables' names is survived") {
  const Folder folder;
  const std::string sound = sound_bytes(folder);
  int aside = 0;
  int tried = 0;
  for (std::size_t at = 0; at < 4096; at += at < 120 ? 1 : 7) {
    if (sound[at] == 0 && at >= 120) continue;
    for (const int value : {0, 1, 5, 0xff, sound[at] ^ 1}) {
      if (at >= 120 && value != (sound[at] ^ 1)) continue;
      CAPTURE(at);
      CAPTURE(value);
      std::string bytes = sound;
      bytes[at] = static_cast<char>(value);
      aside += survives(folder, bytes);
      ++tried;
    }
  }
  std::cout << "first pages set aside: " << aside << " of " << tried << '\n';
}

TEST_CASE("a row that makes no sense is left out and counted") {
  const Folder folder;
  REQUIRE(opened(folder.file()).apply(put_alert(alert_of("r", "web"))).has_value());
  for (const char* damage : {"annotations=x'ff'", "labels=x'01000000'", "active_at='soon'",
                             "last_look=9223372036854775807", "fired_at=-1", "state=0"}) {
    CAPTURE(damage);
    const std::string bytes = *read_file(folder.file());
    const std::string sql = std::string("UPDATE alerts SET ") + damage;
    REQUIRE(Connection::open(folder.file())->run(sql).has_value());
    const Saved saved = loaded(folder.file());
    CHECK(saved.alerts.empty());
    CHECK(saved.damaged_rows == 1);
    REQUIRE(write_file(folder.file(), bytes).has_value());
  }
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

TEST_CASE("what is on a full disk can still be read") {
  const Folder folder;
  testing::FaultyVfs disk;
  REQUIRE(opened(folder.file()).apply(put_alert(alert_of("r", "web"))).has_value());
  disk.fill_disk(true);
  Database database = opened(folder.file());
  CHECK(database.set_aside().empty());
  CHECK(database.load()->alerts.size() == 1);
}

}  // namespace
}  // namespace tocsin::state
