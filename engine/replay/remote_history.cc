// SPDX-License-Identifier: Apache-2.0
#include "replay/remote_history.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "replay/parallel.h"
#include "replay/sightings.h"
#include "tocsin/duration.h"

namespace tocsin::replay {
namespace {

// What is asked for at once.
constexpr Duration kChunk = std::chrono::minutes(20);
constexpr int kAttempts = 3;

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
    history_ = longest + kSlack;
    loaded_ = start_of_chunk(options_.extent.oldest - longest);
  }

  Extent extent() const override { return options_.extent; }
  store::Store& store() override { return store_; }

  Advance advance(Timestamp upto) override {
    while (loaded_ < upto && !failure_) {
      if (chunks_.empty()) fetch_chunk(loaded_);
      take_chunk(std::move(chunks_.front()));
      chunks_.pop_front();
    }
    store_.collect_garbage(upto);
    return {std::min(upto, loaded_), std::nullopt};
  }

  void fetch(Timestamp upto) override {
    Timestamp after = chunks_.empty() ? loaded_ : chunks_.back().upto;
    for (; after < upto && !failure_; after = chunks_.back().upto) fetch_chunk(after);
  }

  std::optional<Error> failure() const override { return failure_; }

  std::shared_ptr<const source::MetricNames> metrics_of(const Labels& up) const override {
    return seen_.of(up);
  }

 private:
  struct Known {
    Timestamp last{};
    Duration interval = Duration::max();  // The shortest between two samples.
    bool ended = false;
  };

  // What was asked for, and what came back of each selector.
  struct Chunk {
    Timestamp after;
    Timestamp upto;
    std::vector<Result<promql::Answer>> answers;
  };

  // Chunks begin and end at the same moments in every run, so that the cache knows them.
  static Timestamp start_of_chunk(Timestamp at) {
    return from_millis(to_millis(at) / kChunk.count() * kChunk.count());
  }

  void fetch_chunk(Timestamp after) {
    const Timestamp upto = std::min(start_of_chunk(after) + kChunk, options_.extent.newest);
    Chunk chunk{after, upto, {}};
    chunk.answers.resize(selectors_.size(), fail(ErrorCode::Canceled, "not asked"));
    team_.run(selectors_.size(), [&](std::size_t i) {
      chunk.answers[i] = ask(selectors_[i] + "[" + format_duration(upto - after) + "]", upto);
    });
    chunks_.push_back(std::move(chunk));
  }

  Result<promql::Answer> ask(const std::string& query, Timestamp at) const {
    const std::string question =
        options_.server.url + "\n" + query + "\n" + std::to_string(to_millis(at));
    if (options_.cache) {
      if (auto known = options_.cache->find(question)) {
        net::HttpResponse response;
        response.status = 200;
        response.body = std::move(*known);
        if (auto answer = source::read_answer(response)) return answer;
      }
    }
    const auto request = source::instant_request(options_.server, query, at);
    if (!request) return fail(request.error());
    for (int attempt = 1;; ++attempt) {
      const net::HttpResult response = options_.fetch(*request);
      auto answer = source::read_answer(response);
      if (answer && options_.cache && at <= options_.settled) {
        if (auto kept = options_.cache->keep(question, response->body); !kept) {
          return fail(kept.error());
        }
      }
      const bool may_pass = !answer && (answer.error().code == ErrorCode::Unavailable ||
                                        answer.error().code == ErrorCode::Timeout);
      if (!may_pass || attempt == kAttempts) return answer;
    }
  }

  void take_chunk(const Chunk& chunk) {
    for (std::size_t i = 0; i < chunk.answers.size(); ++i) {
      const Result<promql::Answer>& answer = chunk.answers[i];
      const auto* matrix = answer ? std::get_if<promql::Matrix>(&answer->value) : nullptr;
      if (!matrix) {
        const Error error =
            answer ? Error{ErrorCode::Parse, "no range vector came back"} : answer.error();
        failure_ = error.in(options_.server.url + " was asked for " + selectors_[i] + " after " +
                            format_rfc3339(chunk.after));
        return;
      }
      for (const promql::Series& series : *matrix) take(series);
    }
    end_those_that_are_gone(chunk.upto);
    loaded_ = chunk.upto;
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
  std::deque<Chunk> chunks_;  // That have come and are not in the store.
  std::optional<Error> failure_;
};

}  // namespace

std::unique_ptr<History> open_remote_history(RemoteHistoryOptions options) {
  return std::make_unique<RemoteHistory>(std::move(options));
}

}  // namespace tocsin::replay
