// SPDX-License-Identifier: Apache-2.0
#include "daemon/remote_parts.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "daemon/parts_reader.h"

namespace tocsin::daemon {
namespace {

// The samples of an answer; a vector and a scalar speak of the instant that was asked for.
promql::Matrix matrix_of(promql::Value value, Timestamp at) {
  if (auto* matrix = std::get_if<promql::Matrix>(&value)) return std::move(*matrix);
  promql::Matrix out;
  if (const auto* scalar = std::get_if<Sample>(&value))
    out.push_back({{}, {{at, scalar->value}}, {}});
  if (auto* vector = std::get_if<promql::Vector>(&value)) {
    for (promql::Element& element : *vector) {
      promql::Series series{std::move(element.labels), {}, {}};
      if (element.histogram) {
        series.histograms.push_back({at, std::move(element.histogram)});
      } else {
        series.samples.push_back({at, element.sample.value});
      }
      out.push_back(std::move(series));
    }
  }
  return out;
}

// `more` continues `matrix` in time.
void append(promql::Matrix& matrix, const promql::Matrix& more) {
  if (matrix.empty()) {
    matrix = more;
    return;
  }
  std::unordered_map<Labels, std::size_t> places;
  for (std::size_t i = 0; i < matrix.size(); ++i) places.emplace(matrix[i].labels, i);
  for (const promql::Series& series : more) {
    const auto [it, is_new] = places.try_emplace(series.labels, matrix.size());
    if (is_new) matrix.push_back({series.labels, {}, {}});
    promql::Series& known = matrix[it->second];
    known.samples.insert(known.samples.end(), series.samples.begin(), series.samples.end());
    known.histograms.insert(known.histograms.end(), series.histograms.begin(),
                            series.histograms.end());
  }
}

void append(promql::Annotations& all, promql::Annotations more) {
  const auto add = [](auto& to, auto& from) {
    for (promql::Annotation& note : from) {
      if (std::find(to.begin(), to.end(), note) == to.end()) to.push_back(std::move(note));
    }
  };
  add(all.warnings, more.warnings);
  add(all.infos, more.infos);
}

// One evaluation's questions, each asked once however many parts want its answer.
class Fetch : public std::enable_shared_from_this<Fetch> {
 public:
  explicit Fetch(FetchedCallback done) : done_(std::move(done)) {}

  void start(source::RemoteQuery& remote, const promql::Split& split, const promql::Steps& steps) {
    for (const promql::Part& part : split.parts) {
      std::vector<std::size_t> wanted;
      for (promql::Ask& ask : promql::asks_of(part, steps)) wanted.push_back(find(std::move(ask)));
      wanted_.push_back(std::move(wanted));
    }
    answers_.resize(asks_.size());
    open_ = asks_.size() + 1;  // One for this function.
    for (std::size_t i = 0; i < asks_.size(); ++i) send(remote, i);
    finish_one();
  }

 private:
  std::size_t find(promql::Ask ask) {
    const auto it = std::find_if(asks_.begin(), asks_.end(), [&](const promql::Ask& other) {
      return other.query == ask.query && other.steps == ask.steps;
    });
    if (it != asks_.end()) return static_cast<std::size_t>(it - asks_.begin());
    asks_.push_back(std::move(ask));
    return asks_.size() - 1;
  }

  void send(source::RemoteQuery& remote, std::size_t index) {
    const promql::Ask& ask = asks_[index];
    auto take = [self = shared_from_this(), index](Result<promql::Answer> answer) {
      self->take(index, std::move(answer));
    };
    if (ask.steps.step.count() == 0) return remote.instant(ask.query, ask.steps.first, take);
    remote.range(ask.query, {ask.steps.first, ask.steps.last, ask.steps.step}, take);
  }

  void take(std::size_t index, Result<promql::Answer> answer) {
    if (answer) {
      answers_[index] = matrix_of(std::move(answer->value), asks_[index].steps.first);
      append(fetched_.annotations, std::move(answer->annotations));
    } else if (!error_) {
      error_ = answer.error();
    }
    finish_one();
  }

  void finish_one() {
    if (--open_ > 0) return;
    if (error_) return done_(fail(*error_));
    for (const std::vector<std::size_t>& wanted : wanted_) {
      promql::Matrix& part = fetched_.parts.emplace_back();
      for (const std::size_t index : wanted) append(part, answers_[index]);
    }
    done_(std::move(fetched_));
  }

  const FetchedCallback done_;
  std::vector<promql::Ask> asks_;
  std::vector<std::vector<std::size_t>> wanted_;  // The asks of each part.
  std::vector<promql::Matrix> answers_;
  FetchedParts fetched_;
  std::optional<Error> error_;
  std::size_t open_ = 0;
};

}  // namespace

void fetch_parts(source::RemoteQuery& remote, const promql::Split& split,
                 const promql::Steps& steps, FetchedCallback done) {
  std::make_shared<Fetch>(std::move(done))->start(remote, split, steps);
}

Result<promql::Answer> answer_over(PartsReader& reader, FetchedParts fetched,
                                   const std::function<Result<promql::Answer>()>& evaluate) {
  for (std::size_t i = 0; i < fetched.parts.size(); ++i) {
    const auto served = reader.serve(i, std::move(fetched.parts[i]));
    if (!served) return fail(served.error());
  }
  auto answer = evaluate();
  if (answer) append(answer->annotations, std::move(fetched.annotations));
  return answer;
}

}  // namespace tocsin::daemon
