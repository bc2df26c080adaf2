// SPDX-License-Identifier: Apache-2.0
#include "state/journal.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "support/faulty_vfs.h"

namespace tocsin::state {
namespace {

namespace fs = std::filesystem;

struct World {
  fs::path folder = fs::temp_directory_path() / ("tocsin-journal-" + std::to_string(getpid()));
  testing::FaultyVfs disk;
  SystemClock clock;
  std::unique_ptr<Journal> journal;

  World() {
    fs::remove_all(folder);
    open();
  }
  ~World() {
    journal.reset();
    fs::remove_all(folder);
  }

  Database database() {
    auto database = Database::open((folder / "tocsin.db").string(), clock.now());
    REQUIRE(database.has_value());
    return std::move(*database);
  }
  void open() {
    // The disk thread stands in for the loop.
    journal = std::make_unique<Journal>(database(), clock, [](const auto& task) { task(); });
  }
  // Ends the journal and reads what it has written.
  std::map<std::string, std::string> groups() {
    journal.reset();
    return database().load()->groups;
  }

  static Change group(const std::string& key, const std::string& content) {
    Change change;
    change.groups[key] = content;
    return change;
  }
  // Writes, and waits until it is said to be durable.
  void write(Change change) {
    std::promise<void> done;
    journal->write(std::move(change), [&] { done.set_value(); });
    REQUIRE(done.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  }
};

TEST_CASE("what is said to be durable is on disk") {
  World w;
  w.write(World::group("a", "1"));
  w.write(World::group("a", "2"));
  CHECK(w.journal->health().works);
  CHECK(w.journal->health().commits == 2);
  CHECK(w.groups() == std::map<std::string, std::string>{{"a", "2"}});
}

TEST_CASE("changes that wait become one transaction, in their order") {
  World w;
  for (int i = 0; i < 1000; ++i) w.journal->write(World::group("a", std::to_string(i)), nullptr);
  w.write(World::group("b", "last"));
  CHECK(w.journal->health().commits < 1000);
  CHECK(w.groups() == std::map<std::string, std::string>{{"a", "999"}, {"b", "last"}});
}

TEST_CASE("what is left is written when the journal ends") {
  World w;
  w.journal->write(World::group("a", "1"), nullptr);
  CHECK(w.groups().size() == 1);
}

TEST_CASE("a full disk holds nobody up, is told, and is caught up with") {
  World w;
  w.write(World::group("before", "1"));
  w.disk.fill_disk(true);
  w.write(World::group("during", "1"));
  const Journal::Health full = w.journal->health();
  CHECK_FALSE(full.works);
  CHECK(full.error.find("full") != std::string::npos);
  CHECK(full.since <= w.clock.now());
  w.disk.fill_disk(false);
  w.write(World::group("after", "1"));
  CHECK(w.journal->health().works);
  CHECK(w.groups().size() == 3);
}

}  // namespace
}  // namespace tocsin::state
