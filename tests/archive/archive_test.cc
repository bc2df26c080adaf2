// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "archive/player.h"
#include "archive/recorder.h"
#include "base/file.h"
#include "support/folder.h"

namespace tocsin::archive {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Folder;

const Timestamp kStart = from_millis(1'767'571'200'000);
constexpr Duration kStep = seconds(15);

// A store that is recorded: a target of so many series.
struct Recorded {
  explicit Recorded(RecorderOptions options, std::size_t size = 20, Timestamp now = kStart)
      : recorder(*Recorder::open(std::move(options), now)) {
    store.record_on(*recorder);
    block = store.add_block({.history = hours(1000), .synthesize_starts = true});
    for (std::size_t i = 0; i < size; ++i) {
      ids.push_back(store.add_series(
          block, Labels{{"__name__", "requests"}, {"row", std::to_string(i)}}, i % 2 == 0));
      values.push_back(static_cast<double>(i));
    }
  }

  void scrape(Timestamp at) { store.append_column(block, at, ids, values); }

  std::unique_ptr<Recorder> recorder;
  store::Store store;
  store::BlockId block = 0;
  std::vector<store::SeriesId> ids;
  std::vector<double> values;
};

std::map<Labels, std::vector<Sample>> content(const store::Store& store, Timestamp from = {}) {
  std::map<Labels, std::vector<Sample>> out;
  for (const store::SeriesId id : store.select({})) {
    store.read(id, from, kStart + hours(1000), out[store.labels(id)]);
  }
  return out;
}

PlayerOptions for_ever() {
  PlayerOptions options;
  options.history = hours(1000);
  return options;
}

// Nothing where the file is no archive any more.
std::optional<std::map<Labels, std::vector<Sample>>> played(const std::string& path) {
  auto player = Player::open({path}, for_ever());
  if (!player) return std::nullopt;
  store::Store store;
  while (player->play(store, kStart + hours(1000)).other_begins_at) {
  }
  return content(store);
}

TEST_CASE("what is played is what was recorded") {
  const Folder folder;
  Recorded recorded({.folder = folder.path(), .file_length = minutes(10)});
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    const Timestamp at = kStart + i * kStep;
    auto ids = recorded.ids;
    auto values = recorded.values;
    for (std::size_t row = 0; row < values.size(); ++row) {
      const auto dice = random() % 20;
      if (dice == 0) recorded.values[row] = 0;
      if (dice == 1) recorded.values[row] += 0.1;
      if (dice == 2) recorded.values[row] = std::nan("");
      if (dice > 12) recorded.values[row] += static_cast<double>(random() % 100);
      values[row] = recorded.values[row];
    }
    const std::size_t missing = random() % (ids.size() + 1);
    if (missing < ids.size()) {
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(missing));
      values.erase(values.begin() + static_cast<std::ptrdiff_t>(missing));
    }
    if (i == 50) recorded.store.append_stale(recorded.block, at);
    if (i == 50) continue;
    recorded.store.append_column(recorded.block, at, ids, values, i % 70 == 0);
    if (i % 60 == 0) REQUIRE(recorded.recorder->flush());
  }
  REQUIRE(recorded.recorder->flush());
  CHECK(folder.files().size() == 5);
  const auto got = played(folder.path());
  const auto wanted = content(recorded.store);
  REQUIRE(got);
  REQUIRE(got->size() == wanted.size());
  for (const auto& [labels, samples] : wanted) {
    const auto& other = got->at(labels);
    REQUIRE(other.size() == samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      CHECK(other[i].at == samples[i].at);
      CHECK(std::bit_cast<std::uint64_t>(other[i].value) ==
            std::bit_cast<std::uint64_t>(samples[i].value));
    }
  }
}

TEST_CASE("several threads write what one writes") {
  const Folder folder;
  Recorded recorded({.folder = folder.path(), .file_length = minutes(20)}, 0);
  std::vector<store::BlockId> blocks;
  std::vector<std::vector<store::SeriesId>> ids;
  for (int target = 0; target < 40; ++target) {
    blocks.push_back(recorded.store.add_block({.history = hours(1000), .synthesize_starts = true}));
    ids.emplace_back();
    for (int row = 0; row < 10; ++row) {
      ids.back().push_back(recorded.store.add_series(
          blocks.back(),
          Labels{{"__name__", "m"}, {"row", std::to_string(row)}, {"t", std::to_string(target)}},
          true));
    }
  }
  for (int i = 0; i < 200; ++i) {
    for (std::size_t target = 0; target < blocks.size(); ++target) {
      const std::vector<double> values(10, i % 50 == 7 ? 0 : i + static_cast<double>(target));
      recorded.store.append_column(blocks[target], kStart + i * kStep, ids[target], values);
    }
  }
  REQUIRE(recorded.recorder->flush());
  PlayerOptions options = for_ever();
  options.together = [](std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    const auto some = [&] {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    };
    std::thread other(some);
    some();
    other.join();
  };
  auto player = Player::open({folder.path()}, std::move(options));
  REQUIRE(player);
  store::Store store;
  for (int minute = 10; minute <= 60; minute += 10) player->play(store, kStart + minutes(minute));
  CHECK(content(store).size() == 400);
  CHECK(content(store) == content(recorded.store));
}

// A target whose series come and go, and which is another one now and then.
struct Restless {
  static constexpr std::size_t kRows = 8;
  std::size_t number = 0;
  std::size_t life = 0;
  store::BlockId block = 0;
  std::array<bool, kRows> is_there{};

  Labels labels(std::size_t row) const {
    return {{"__name__", "m"},
            {"life", std::to_string(life)},
            {"row", std::to_string(row)},
            {"target", std::to_string(number)}};
  }
};

TEST_CASE("series that come and go are played as they were, and only what is wanted") {
  const auto is_wanted = [](const Labels& labels) { return labels.get("row") < "5"; };
  for (unsigned seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const Folder folder;
    Recorded recorded({.folder = folder.path(), .file_length = minutes(5)}, 0);
    std::map<Labels, std::vector<Sample>> written;
    std::set<Labels> all;
    std::vector<Restless> targets(3);
    for (std::size_t n = 0; n < targets.size(); ++n) targets[n].number = n;
    for (int i = 0; i < 200; ++i) {
      const Timestamp at = kStart + i * kStep;
      for (Restless& target : targets) {
        if (i == 0 || random() % 60 == 0) {
          if (i > 0) recorded.store.remove_block(target.block);
          ++target.life;
          target.block = recorded.store.add_block({.history = minutes(2)});
        }
        std::vector<store::SeriesId> ids;
        std::vector<double> values;
        for (std::size_t row = 0; row < Restless::kRows; ++row) {
          if (random() % 25 == 0) target.is_there[row] = !target.is_there[row];
          if (!target.is_there[row]) continue;
          const Labels labels = target.labels(row);
          ids.push_back(recorded.store.add_series(target.block, labels, true));
          values.push_back(random() % 30 == 0 ? 0 : i);
          all.insert(labels);
          if (is_wanted(labels)) written[labels].push_back({at, values.back()});
        }
        recorded.store.append_column(target.block, at, ids, values);
      }
      recorded.store.collect_garbage(at);
      if (random() % 8 == 0) REQUIRE(recorded.recorder->flush());
    }
    REQUIRE(recorded.recorder->flush());
    PlayerOptions options = for_ever();
    std::set<Labels> told;
    options.wants = is_wanted;
    options.on_series = [&](const Labels& labels) { told.insert(labels); };
    auto player = Player::open({folder.path()}, std::move(options));
    REQUIRE(player);
    store::Store store;
    player->play(store, kStart + hours(1));
    auto got = content(store);
    for (auto& [labels, samples] : got) {
      std::erase_if(samples, [](const Sample& sample) { return is_stale_nan(sample.value); });
    }
    CHECK(got == written);
    CHECK(told == all);
  }
}

TEST_CASE("one can begin in the middle") {
  const Folder folder;
  Recorded recorded({.folder = folder.path()});
  for (Timestamp at = kStart; at < kStart + hours(3); at += kStep) recorded.scrape(at);
  REQUIRE(recorded.recorder->flush());
  auto player = Player::open({folder.path()}, for_ever());
  REQUIRE(player);
  CHECK(player->oldest() == kStart);
  CHECK(player->newest() == kStart + hours(3) - kStep);
  player->skip_to(kStart + hours(2));
  store::Store store;
  player->play(store, kStart + hours(3));
  CHECK(content(store) == content(recorded.store, kStart + hours(2) - Duration(1)));
}

TEST_CASE("play() stops soon after the moment") {
  const Folder folder;
  Recorded recorded({.folder = folder.path()});
  for (Timestamp at = kStart; at < kStart + hours(1); at += kStep) recorded.scrape(at);
  REQUIRE(recorded.recorder->flush());
  auto player = Player::open({folder.path()}, for_ever());
  REQUIRE(player);
  store::Store store;
  player->play(store, kStart + minutes(10));
  const auto samples = content(store).begin()->second;
  CHECK(samples.back().at >= kStart + minutes(10));
  CHECK(samples.back().at <= kStart + minutes(12));
}

TEST_CASE("counters that stand still cost next to nothing") {
  const Folder folder;
  Recorded recorded({.folder = folder.path()}, 1000);
  recorded.scrape(kStart);
  REQUIRE(recorded.recorder->flush());
  const std::uint64_t first = folder.bytes();
  for (int i = 1; i <= 200; ++i) recorded.scrape(kStart + i * kStep);
  REQUIRE(recorded.recorder->flush());
  CHECK(folder.bytes() - first < 2000);  // Of 200,000 samples.
}

TEST_CASE("the oldest files go when there is too much") {
  const Folder folder;
  Recorded recorded({.folder = folder.path(), .max_bytes = 20'000}, 200);
  for (Timestamp at = kStart; at < kStart + hours(20); at += minutes(10)) {
    recorded.scrape(at);
    REQUIRE(recorded.recorder->flush());
  }
  CHECK(folder.bytes() <= 20'000);
  auto player = Player::open({folder.path()}, for_ever());
  REQUIRE(player);
  CHECK(player->oldest() > kStart + hours(5));
  CHECK(player->newest() == kStart + hours(20) - minutes(10));
}

TEST_CASE("the next process' series are its own, and the player says when it begins") {
  const Folder folder;
  {
    Recorded recorded({.folder = folder.path()});
    for (int i = 0; i < 10; ++i) recorded.scrape(kStart + i * kStep);
  }
  {
    Recorded recorded({.folder = folder.path()}, 5, kStart + minutes(20));
    recorded.scrape(kStart + minutes(20));
  }
  auto player = Player::open({folder.path()}, for_ever());
  REQUIRE(player);
  store::Store store;
  const Player::Played first = player->play(store, kStart + hours(1));
  CHECK(first.last == kStart + 9 * kStep);
  CHECK(first.other_begins_at == kStart + minutes(20));
  CHECK(store.stats().series == 20);
  CHECK_FALSE(player->play(store, kStart + hours(1)).other_begins_at);
  CHECK(store.stats().series == 5);
}

TEST_CASE("a torn end is left out and said") {
  const Folder folder;
  Recorded recorded({.folder = folder.path()});
  for (int i = 0; i < 10; ++i) {
    recorded.scrape(kStart + i * kStep);
    REQUIRE(recorded.recorder->flush());
  }
  const std::string path = folder.files().front();
  const std::string whole = *read_file(path);
  REQUIRE(write_file(path, whole.substr(0, whole.size() - 5)));
  auto player = Player::open({path}, for_ever());
  REQUIRE(player);
  store::Store store;
  player->play(store, kStart + hours(1));
  CHECK(content(store).begin()->second.size() == 9);
  REQUIRE(player->damage().size() == 1);
  CHECK(player->damage()[0].find("ends in the middle after") != std::string::npos);
}

TEST_CASE("no bytes make it crash, and what came before the damage is there") {
  const Folder folder;
  Recorded recorded({.folder = folder.path()}, 5);
  for (int i = 0; i < 30; ++i) {
    recorded.scrape(kStart + i * kStep);
    if (i % 3 == 0) REQUIRE(recorded.recorder->flush());
  }
  REQUIRE(recorded.recorder->flush());
  const std::string path = folder.files().front();
  const std::string whole = *read_file(path);
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    REQUIRE(write_file(path, whole.substr(0, length)));
    (void)played(path);
  }
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    std::string bytes = whole;
    const std::size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(random());
    REQUIRE(write_file(path, bytes));
    const auto got = played(path);
    if (!got || at < whole.size() / 2) continue;
    REQUIRE(got->size() == 5);
    CHECK(got->begin()->second.size() >= 10);
  }
}

}  // namespace
}  // namespace tocsin::archive
