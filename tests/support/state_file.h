// SPDX-License-Identifier: Apache-2.0
//
// State files for tests: a folder that goes with the test, in memory where the system has one (the
// tests sync ten thousand times), and changes to put into it.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "state/database.h"

namespace tocsin::state {

inline constexpr Timestamp kNow = from_millis(1'795'369'320'000);

// A folder of the test's own, gone when it ends.
struct Folder {
  std::filesystem::path path = base() / ("tocsin-state-" + std::to_string(getpid()));
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file() const { return (path / "tocsin.db").string(); }

  static std::filesystem::path base() {
    return std::filesystem::exists("/dev/shm") ? "/dev/shm"
                                               : std::filesystem::temp_directory_path();
  }
};

inline SavedAlert alert_of(const std::string& rule, const std::string& deployment) {
  SavedAlert saved{rule, "content-" + rule, "SuccessRateLow", {}};
  saved.alert.labels = Labels{{"alertname", "SuccessRateLow"}, {"deployment", deployment}};
  saved.alert.annotations = {{"summary", "it fails – \"ü\""}};
  saved.alert.state = alert::State::Firing;
  saved.alert.value = 0.25;
  saved.alert.active_at = kNow;
  saved.alert.fired_at = kNow + std::chrono::minutes(2);
  saved.alert.last_sent_at = kNow + std::chrono::minutes(3);
  saved.alert.blind = alert::Blindness{
      kNow + std::chrono::minutes(4), {"target t", "no answer"}, kNow + std::chrono::minutes(4)};
  saved.alert.flapping_since = kNow + std::chrono::minutes(5);
  saved.alert.looks = 0x15555;
  saved.alert.last_look = kNow + std::chrono::minutes(6);
  saved.alert.values = {0.5, 0.25};
  return saved;
}

inline Change put_alert(const SavedAlert& saved) {
  Change change;
  change.alerts[{saved.rule_id, saved.alert.labels}] = saved;
  return change;
}

inline Database opened(const std::string& path) {
  auto database = Database::open(path, kNow);
  INFO((database ? "" : database.error().message));
  REQUIRE(database.has_value());
  return std::move(*database);
}

inline Saved loaded(const std::string& path) {
  auto saved = opened(path).load();
  REQUIRE(saved.has_value());
  return std::move(*saved);
}

}  // namespace tocsin::state
