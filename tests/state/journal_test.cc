// SPDX-License-Identifier: Apache-2.0
#include "state/journal.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>

#include "support/faulty_vfs.h"
#include "support/manual_clock.h"

namespace tocsin::state {
namespace {

namespace fs = std::filesystem;

constexpr Duration kLongest = std::chrono::seconds(5);

struct World {
  fs::path folder = fs::temp_directory_path() / ("tocsin-journal-" + std::to_string(getpid()));
  testing::FaultyVfs disk;
  SystemClock clock;
  testing::ManualClock scheduler;
  Duration try_again{0};
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
    journal = std::make_unique<Journal>(
        database(), clock, scheduler, [](const auto& task) { task(); },
        JournalOptions{try_again, std::chrono::milliseconds(200), kLongest});
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

TEST_CASE("a disk that refuses is left alone for a while, but for a flush") {
  World w;
  w.try_again = std::chrono::hours(1);
  w.journal.reset();
  w.open();
  w.disk.fill_disk(true);
  w.write(World::group("during", "1"));
  const int operations = w.disk.operations();
  for (int i = 0; i < 10; ++i) w.write(World::group("during " + std::to_string(i), "1"));
  CHECK(w.disk.operations() == operations);
  CHECK(w.journal->health().owed == 11);
  CHECK_FALSE(w.journal->flush(std::chrono::seconds(30)));
  CHECK(w.disk.operations() > operations);
  w.disk.fill_disk(false);
  CHECK(w.journal->flush(std::chrono::seconds(30)));
  CHECK(w.journal->health().works);
  CHECK(w.journal->health().owed == 0);
  CHECK(w.journal->health().bytes > 0);
  CHECK(w.groups().size() == 11);
}

TEST_CASE("changes are said to be durable in the order in which they were written") {
  World w;
  std::vector<int> order;
  for (int i = 0; i < 500; ++i) {
    w.journal->write(World::group("a", std::to_string(i)), [&order, i] { order.push_back(i); });
  }
  CHECK(w.journal->flush(std::chrono::seconds(30)));
  REQUIRE(order.size() == 500);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE(
    "nothing waits for a disk that hangs, which is told, and caught up with when it answers") {
  World w;
  std::promise<void> gate;
  std::atomic<bool> hangs = false;
  w.disk.hang_until(std::async(std::launch::deferred, [&, answers = gate.get_future()] {
                      hangs = true;
                      hangs.notify_all();
                      answers.wait();
                    }).share());
  std::vector<int> order;
  w.journal->write(World::group("a", "1"), [&] { order.push_back(1); });
  hangs.wait(false);
  w.scheduler.advance(kLongest / 2);
  w.journal->write(World::group("b", "1"), [&] { order.push_back(2); });
  CHECK(w.journal->health().works);
  CHECK(order.empty());
  w.scheduler.advance(kLongest);
  const Journal::Health hanging = w.journal->health();
  CHECK_FALSE(hanging.works);
  CHECK(hanging.error == "the disk does not answer");
  CHECK(hanging.since <= w.clock.now());
  CHECK(order == std::vector{1, 2});
  w.journal->write(World::group("c", "1"), [&] { order.push_back(3); });
  CHECK(order == std::vector{1, 2, 3});
  gate.set_value();
  w.journal->write(World::group("d", "1"), nullptr);
  CHECK(w.journal->flush(std::chrono::seconds(30)));
  CHECK(w.journal->health().works);
  CHECK(order == std::vector{1, 2, 3});
  w.scheduler.advance(kLongest);
  CHECK(w.scheduler.pending() == 0);
  CHECK(w.groups().size() == 4);
}

TEST_CASE("a disk that hangs holds up neither a flush nor the end") {
  World w;
  std::promise<void> gate;
  w.disk.hang_until(gate.get_future().share());
  bool called = false;
  w.journal->write(World::group("a", "1"), [&] { called = true; });
  CHECK_FALSE(w.journal->flush(std::chrono::milliseconds(50)));
  w.journal.reset();
  CHECK_FALSE(called);
  gate.set_value();
  // The thread that was left behind ends on its own, and gives the file up.
  Result<Database> next = fail(ErrorCode::Unavailable, "");
  for (int i = 0; i < 30 && !next; ++i) {
    next = Database::open((w.folder / "tocsin.db").string(), w.clock.now());
  }
  REQUIRE(next.has_value());
  CHECK(next->load()->groups.size() == 1);
  CHECK_FALSE(called);
}

}  // namespace
}  // namespace tocsin::state
