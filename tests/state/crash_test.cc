// SPDX-License-Identifier: Apache-2.0
//
// The state's promise: whenever the process dies, or the machine, what was acknowledged is there.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "state/database.h"
#include "support/faulty_vfs.h"
#include "support/state_file.h"

namespace tocsin::state {
namespace {

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
template <class SetUp>
Death die_at(int n, testing::Loss loss, const std::string& path, SetUp set_up) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    testing::FaultyVfs disk;
    disk.checkpoint_often();
    set_up(disk);
    disk.die_at(n, loss);
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

// Kills a process at each of its writes and returns how many there were.
int kill_everywhere(testing::Loss loss) {
  const Folder folder;
  for (int n = 1;; ++n) {
    CAPTURE(n);
    std::filesystem::remove_all(folder.path);
    std::filesystem::create_directories(folder.path);
    const Death death = die_at(n, loss, folder.file(), [](testing::FaultyVfs&) {});
    Database database = opened(folder.file());
    CHECK(database.set_aside().empty());
    const auto saved = database.load();
    REQUIRE(saved.has_value());
    CHECK(saved->damaged_rows == 0);
    CHECK(is_after(*saved, death.acknowledged));
    if (!death.died) return n - 1;
  }
}

TEST_CASE("killed at any write, what was acknowledged is there, and every change whole or not") {
  const int points = kill_everywhere(testing::Loss::Nothing);
  CHECK(points > 100);
  std::cout << "killed at each of " << points << " writes\n";
}

TEST_CASE("without power at any write, the same, whichever unsynced writes survive") {
  const int points = kill_everywhere(testing::Loss::All) + kill_everywhere(testing::Loss::Some);
  std::cout << "without power at each of " << points << " writes\n";
}

TEST_CASE("a disk that lies about syncing loses what was acknowledged, and these tests notice") {
  const Folder folder;
  int lost = 0;
  for (int n = 20; n < 100; n += 10) {
    std::filesystem::remove_all(folder.path);
    std::filesystem::create_directories(folder.path);
    const Death death = die_at(n, testing::Loss::All, folder.file(),
                               [](testing::FaultyVfs& disk) { disk.lie_about_syncing(); });
    auto saved = opened(folder.file()).load();
    lost += !saved || !is_after(*saved, death.acknowledged);
  }
  CHECK(lost > 0);
}

}  // namespace
}  // namespace tocsin::state
