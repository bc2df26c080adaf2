// SPDX-License-Identifier: Apache-2.0
#include "ruletest/feed.h"

#include <algorithm>

#include "base/file.h"
#include "base/packing.h"
#include "promql/series_notation.h"
#include "ruletest/mesh_fault.h"
#include "ruletest/page_source.h"
#include "ruletest/scraped_feed.h"

namespace tocsin::ruletest {
namespace {

// Of a captured page that is gzipped.
constexpr std::size_t kMaxUnpacked = std::size_t{1} << 30;
// What pages are kept for: the longest that KeepFilter's slack can be added to.
constexpr Duration kPageHistory = std::chrono::hours(24 * 365);

// `input_series`: all there from the beginning, since what is in the future of an evaluation is
// not seen by it.
class NotedFeed : public Feed {
 public:
  struct Series {
    Labels labels;
    promql::NotedValues values;
  };
  NotedFeed(std::vector<Series> series, Timestamp start, Duration interval)
      : series_(std::move(series)), start_(start), interval_(interval) {}

  Result<void> begin(store::Store& store, Timestamp from) override {
    const store::BlockId block = store.add_block({.history = kTestHistory});
    for (const Series& series : series_) {
      const store::SeriesId id = store.add_series(block, series.labels, false);
      Timestamp at = start_;
      for (const auto& value : series.values) {
        if (at >= from && value && value->histogram) {
          store.append_histogram(id, at, value->histogram);
        } else if (at >= from && value) {
          store.append_sample(id, at, value->number);
        }
        at += interval_;
      }
    }
    return {};
  }

  void advance(Timestamp) override {}

 private:
  const std::vector<Series> series_;
  const Timestamp start_;
  const Duration interval_;
};

std::shared_ptr<const source::SampleRules> keeping(std::vector<promql::Need> needs) {
  for (promql::Need& need : needs) need.history = kPageHistory;
  auto rules = std::make_shared<source::SampleRules>();
  rules->filter = std::make_shared<const source::KeepFilter>(std::move(needs));
  return rules;
}

using OpenedFeed = tl::expected<std::unique_ptr<Feed>, FeedError>;

OpenedFeed open_noted(const TestCase& test, Duration interval) {
  std::vector<NotedFeed::Series> series;
  for (const InputSeries& input : test.series) {
    std::string_view text = input.series;
    auto labels = promql::take_series_labels(text);
    auto values = promql::parse_value_notation(input.values);
    if (!labels || !values) {
      const Error& error = labels ? values.error() : labels.error();
      return tl::unexpected(FeedError{input.line, "series " + input.series + ": " + error.message});
    }
    // Of a series that is given twice the second counts, as promtool has it.
    std::erase_if(series, [&](const NotedFeed::Series& one) { return one.labels == *labels; });
    series.push_back({std::move(*labels), std::move(*values)});
  }
  return std::make_unique<NotedFeed>(std::move(series), test.start, interval);
}

Result<std::string> read_page(const std::string& path) {
  auto bytes = tocsin::read_file(path);
  if (!bytes || !bytes->starts_with("\x1f\x8b")) return bytes;
  return gunzip(*bytes, kMaxUnpacked);
}

Result<std::unique_ptr<PageSource>> open_captured(const InputPages& input, Timestamp start,
                                                  Duration interval) {
  CapturedPages captured;
  captured.labels = Labels(
      std::vector<std::pair<std::string, std::string>>(input.labels.begin(), input.labels.end()));
  for (const std::string& pattern : input.files) {
    for (const std::string& path : glob_files(pattern)) {
      auto page = read_page(path);
      if (!page) return fail(page.error());
      captured.pages.push_back(std::move(*page));
    }
  }
  if (captured.pages.empty()) return fail(ErrorCode::NotFound, "there is no such page");
  return captured_pages(std::move(captured), start, interval);
}

}  // namespace

tl::expected<Feeds, FeedError> open_feeds(const TestFile& file, const TestCase& test,
                                          const std::vector<promql::Need>& needs) {
  const Duration interval = test.interval > Duration(0) ? test.interval : file.evaluation_interval;
  Feeds feeds;
  auto noted = open_noted(test, interval);
  if (!noted) return tl::unexpected(noted.error());
  feeds.push_back(std::move(*noted));
  const auto add = [&](std::unique_ptr<PageSource> pages) {
    feeds.push_back(
        std::make_unique<ScrapedFeed>(std::move(pages), keeping(needs), test.start, interval));
  };
  if (test.pages) {
    auto pages = open_captured(*test.pages, test.start, interval);
    if (!pages) return tl::unexpected(FeedError{test.line, pages.error().message});
    add(std::move(*pages));
  }
  if (test.mesh) {
    auto mesh = mesh_of(*test.mesh);
    if (!mesh) return tl::unexpected(FeedError{test.mesh->line, mesh.error().message});
    add(mesh_pages(std::move(*mesh), test.start));
  }
  return feeds;
}

}  // namespace tocsin::ruletest
