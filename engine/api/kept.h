// SPDX-License-Identifier: Apache-2.0
//
// What the store holds of each metric, and who asked for it: the answer to "why is its memory what
// it is" and to "why is this metric not here". Values, about metrics by name: somebody who asks for
// some series of a metric is among its askers, whichever series those are. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/clock.h"

namespace tocsin::api {

enum class Why {
  Reads,    // A rule reads it.
  Records,  // A rule makes it.
  Keep,     // `keep:` of the configuration.
  Own,      // Tocsin writes it about itself: ALERTS.
  Witness,  // It says what a Prometheus cannot see.
};
std::string_view name_of(Why why);  // "reads", "records", "keep", "own", "witness"

struct KeepReason {
  Why why = Why::Reads;
  std::string file;  // Of a rule.
  int line = 0;
  std::string group;
  std::string name;     // The rule, or the selector of `keep:`.
  Duration history{0};  // How far back it looks.

  bool operator==(const KeepReason&) const = default;
};

struct KeptMetric {
  std::string name;
  std::size_t series = 0;  // 0: asked for, and not there.
  Duration history{0};     // How far back it is asked for.
  // Those that look back the furthest first. None: it was asked for before a reload.
  std::vector<KeepReason> reasons;
};

}  // namespace tocsin::api
