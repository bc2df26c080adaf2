// SPDX-License-Identifier: Apache-2.0
//
// Change is what is to be written down, as values under their keys: the newest value of a key wins,
// so two changes become one without growing, and a disk that is full for an hour owes no more than
// what there is to say. Saved is everything that was written, read at start.
//
// Plain values; pure.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/alert.h"
#include "tocsin/clock.h"
#include "tocsin/labels.h"

namespace tocsin::state {

// An alert with the rule that it belongs to, by both of its names (rule::Rule).
struct SavedAlert {
  std::string rule_id;
  std::string content_id;
  std::string rule_name;
  alert::Alert alert;
};

struct AlertKey {
  std::string rule_id;
  Labels labels;

  bool operator<(const AlertKey& other) const;
};

// A message that a receiver has not taken yet.
struct MessageKey {
  std::string receiver;
  std::string key;

  auto operator<=>(const MessageKey&) const = default;
};
struct SavedMessage {
  std::string content;
  Timestamp decided_at{};
};

// One transition of an alert, for people.
struct HistoryEntry {
  Timestamp at{};
  std::string rule_name;
  alert::State from = alert::State::Inactive;
  alert::State to = alert::State::Inactive;
  Labels labels;
  double value = 0;
  std::string summary;
};

// A sample of a recording rule whose past other rules look at.
struct RecordedSample {
  Labels labels;
  Timestamp at{};
  double value = 0;
};

// Nothing in the place of a value: it is gone.
struct Change {
  std::map<AlertKey, std::optional<SavedAlert>> alerts;
  std::map<MessageKey, std::optional<SavedMessage>> messages;
  std::map<std::string, std::optional<std::string>> groups;    // What a group has been told.
  std::map<std::string, std::optional<std::string>> settings;  // What else there is to remember.
  std::map<std::string, std::optional<std::string>> silences;  // By id.
  std::vector<HistoryEntry> history;
  std::vector<RecordedSample> samples;
  // Entries before these moments are no longer wanted.
  std::optional<Timestamp> history_from;
  std::optional<Timestamp> samples_from;

  // Entries of the history and samples that made room for newer ones: see merge().
  std::size_t dropped = 0;

  bool empty() const;
  // How many values and entries there are to write.
  std::size_t size() const;
  // Applies `later` on top of this one; costs what `later` does. The history and the samples are
  // lists, and no key keeps them short: of each about 100,000 may wait, then the oldest make room.
  void merge(Change later);
};

// How many of the newest entries of the history are read at start.
inline constexpr std::size_t kHistoryLoaded = 500;

struct Saved {
  std::vector<SavedAlert> alerts;
  std::vector<std::pair<MessageKey, SavedMessage>> messages;
  std::map<std::string, std::string> groups;
  std::map<std::string, std::string> settings;
  std::map<std::string, std::string> silences;
  std::vector<HistoryEntry> history;    // The newest first.
  std::vector<RecordedSample> samples;  // By series, then by time.
  std::size_t damaged_rows = 0;         // Could not be read, and are left out.
};

}  // namespace tocsin::state
