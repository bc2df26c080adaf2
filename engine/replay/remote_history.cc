// SPDX-License-Identifier: Apache-2.0
#include "replay/remote_history.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "replay/parallel.h"
#include "replay/sightings.h"
#include "tocsin/duration.h"

namespace tocsin::replay {
namespace {

std::string selector_of(const Matchers& matchers) {
  std::string out;
  for (const Matcher& matcher : matchers) out += (out.empty() ? "{" : ",") + matcher.text();
  return out.empty() ? R"({__name__!=""})" : out + "}";
}

class RemoteHistory : public History {
 public:
  explicit RemoteHistory(RemoteHistoryOptions options)
      : options_(std::move(options)), team_(options_.threads) {
    std::set<std::string> selectors{R"({__name__="up"})"};
    Duration longest = std::chrono::minutes(5);
    for (const promql::Need& need : options_.needs) {
      selectors.insert(selector_of(need.matchers));
      longest = std::max(longest, need.history);
    }
    selectors_.assign(selectors.begin(), selectors.end());
    history_ = longest + options_.slack;
    loaded_ = options_.extent.oldest - longest;
  }

  Extent extent() const override { return options_.extent; }
  store::Store& store() override { return store_; }

  Advance advance(Timestamp upto) override {
    if (upto > loaded_) load(upto);
    store_.collect_garbage(upto);
    return {upto, std::nullopt};
  }

  std::shared_ptr<const source::MetricNames> metrics_of(const Labels& up) const override {
    return seen_.of(up);
  }
  std::vector<std::string> complaints() const override { return complaints_; }

 private:
  struct Known {
    Timestamp last{};
    Duration interval = Duration::max();  // The shortest between two samples.
    bool ended = false;
  };

  void load(Timestamp upto) {
    const std::string window = "[" + format_duration(upto - loaded_) + "]";
    std::vector<Result<promql::Answer>> answers(
        selectors_.size(), Result<promql::Answer>(fail(ErrorCode::Canceled, "not asked")));
    team_.run(selectors_.size(), [&](std::size_t i) {
      answers[i] = source::ask_remote(options_.server, selectors_[i] + window, upto);
    });
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto* matrix = answers[i] ? std::get_if<promql::Matrix>(&answers[i]->value) : nullptr;
      if (!matrix) {
        complain(selectors_[i], answers[i]);
        continue;
      }
      for (const promql::Series& series : *matrix) take(series);
    }
    end_those_that_are_gone(upto);
    loaded_ = upto;
  }

  void complain(const std::string& selector, const Result<promql::Answer>& answer) {
    if (complaints_.size() == 10) return;
    complaints_.push_back(selector + " after " + format_rfc3339(loaded_) + ": " +
                          (answer ? "no range vector came back" : answer.error().message));
  }

  void take(const promql::Series& series) {
    Known& known = known_[series.labels];
    if (known.last == Timestamp{}) seen_.note(series.labels);
    const store::SeriesId id = store_.add_series(block_of(series.labels), series.labels, false);
    for (const Sample& sample : series.samples) {
      if (sample.at <= known.last) continue;  // Another selector had it, too.
      end_if_gone(known, id, sample.at);
      if (known.last != Timestamp{}) {
        known.interval = std::min(known.interval, sample.at - known.last);
      }
      store_.append_sample(id, sample.at, sample.value);
      known.last = sample.at;
      known.ended = false;
    }
  }

  // What is scraped together has its timestamps in common.
  store::BlockId block_of(const Labels& labels) {
    const auto [it, is_new] =
        blocks_.try_emplace({std::string(labels.get("job")), std::string(labels.get("instance"))});
    if (is_new) it->second = store_.add_block({.history = history_});
    return it->second;
  }

  // Whether nothing came for so long before `at` that the series must have ended.
  void end_if_gone(Known& known, store::SeriesId id, Timestamp at) {
    if (known.ended || known.interval == Duration::max()) return;
    if (at - known.last <= 2 * known.interval + known.interval / 2) return;
    store_.append_sample(id, known.last + known.interval, stale_nan());
    known.ended = true;
  }

  void end_those_that_are_gone(Timestamp now) {
    for (auto it = known_.begin(); it != known_.end();) {
      auto& [labels, known] = *it;
      if (now - known.last > history_) {
        it = known_.erase(it);
        continue;
      }
      if (!known.ended) {
        end_if_gone(known, store_.add_series(block_of(labels), labels, false), now);
      }
      ++it;
    }
  }

  const RemoteHistoryOptions options_;
  Team team_;
  std::vector<std::string> selectors_;
  Duration history_{0};
  store::Store store_;
  std::map<std::pair<std::string, std::string>, store::BlockId> blocks_;  // By job and instance.
  Timestamp loaded_;
  std::unordered_map<Labels, Known> known_;
  Sightings seen_;
  std::vector<std::string> complaints_;
};

}  // namespace

std::unique_ptr<History> open_remote_history(RemoteHistoryOptions options) {
  return std::make_unique<RemoteHistory>(std::move(options));
}

}  // namespace tocsin::replay
