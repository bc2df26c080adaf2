// SPDX-License-Identifier: Apache-2.0
//
// The language of Prometheus' PromQL test scripts, as commands:
//
//   load 1m
//     requests_total{job="a"}  0+60x10
//
//   eval instant at 5m rate(requests_total[5m])
//     expect no_warn
//     {job="a"} 1
//
// `clear`, `load`, `load_with_nhcb`, `eval instant at`, `eval range from … to … step`, with their
// `expect` lines and the older forms (`eval_fail`, `expected_fail_message`, …). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "promql/series_notation.h"
#include "tocsin/clock.h"
#include "tocsin/matcher.h"

namespace tocsin::promql {

struct ClearCommand {};

struct LoadCommand {
  Duration step{0};
  std::vector<SeriesNotation> series;  // One that is given twice is what its last line says.
  bool with_custom_buckets = false;    // Classic histograms are loaded as native ones, too.
};

// What a message must be: anything, exactly this, or something that the pattern is found in.
struct ExpectedText {
  std::optional<std::string> exactly;
  std::optional<std::string> pattern;

  bool accepts(std::string_view text) const;
  std::string describe() const;
};

// Which messages of a kind are expected.
struct ExpectedNotes {
  std::vector<ExpectedText> texts;  // Each must occur, and nothing else may; empty: do not care.
  bool any = false;                 // At least one.
  bool none = false;
};

struct TimeGrid {
  Timestamp start{};
  Timestamp end{};
  Duration step{1};
};

struct EvalCommand {
  std::string query;
  bool is_range = false;
  TimeGrid times;
  bool fails = false;
  ExpectedText failure;
  bool ordered = false;
  ExpectedNotes warnings;
  ExpectedNotes infos;
  std::optional<double> scalar;
  std::optional<std::string> string;
  std::vector<SeriesNotation> series;
  std::optional<TimeGrid> range_vector;  // The times of the expected samples of a range vector.
};

// A line that makes no sense, and why.
struct BadLine {
  std::string message;
};

struct Command {
  int line = 0;  // Of its first line; of the bad one.
  std::variant<ClearCommand, LoadCommand, EvalCommand, BadLine> what;
};

// All commands of a script, in order. Reading goes on after a bad line.
std::vector<Command> read_script(std::string_view text);

}  // namespace tocsin::promql
