// SPDX-License-Identifier: Apache-2.0
#include "daemon/recording.h"

#include "base/log.h"
#include "tocsin/store.h"

namespace tocsin::daemon {
namespace {

constexpr Duration kFlushEvery = std::chrono::seconds(5);

}  // namespace

Result<void> Recording::begin(const archive::RecorderOptions& options, Timestamp now,
                              store::Store& store) {
  if (options.folder.empty()) return {};
  auto recorder = archive::Recorder::open(options, now);
  if (!recorder) return fail(recorder.error());
  recorder_ = std::move(*recorder);
  store.record_on(*recorder_);
  periodic_.every("recording", kFlushEvery, [this] { flush(); });
  log::info("recording", {{"folder", options.folder}});
  return {};
}

void Recording::add_needs(std::vector<promql::Need>& needs) const {
  if (!recorder_) return;
  needs.push_back({{Matcher::equal(kMetricName, "up")}, Duration(0)});
}

// How it went is said when that changes.
void Recording::flush() {
  net::run_on(
      workers_, loop_, [recorder = recorder_] { return recorder->flush(); },
      [this](const Result<void>& flushed) {
        if (flushed.has_value() == is_well_) return;
        is_well_ = flushed.has_value();
        if (is_well_) return log::info("the recording goes on");
        log::error("the recording has a gap", {{"error", flushed.error().message}});
      });
}

}  // namespace tocsin::daemon
