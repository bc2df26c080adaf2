// SPDX-License-Identifier: Apache-2.0
//
// Asks a Prometheus and our own engine the same random questions about the same random series, and
// tells the differences.
//
//   differential --prometheus http://127.0.0.1:9090 --seed 1 --count 10000
//   differential --texts --seed 1 --count 300      expressions, and how we print them, as JSON
//   lines
//
// The Prometheus must be empty and take remote writes: differential.py starts one. 2.42 is known to
// work; it calls double_exponential_smoothing holt_winters. Exits 1 on a difference.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <map>

#include "differential/comparison.h"
#include "differential/random_expr.h"
#include "promql/ast.h"
#include "source/remote_query.h"
#include "support/remote_write.h"
#include "tocsin/store.h"

namespace tocsin::differential {
namespace {

constexpr Duration kSlice = std::chrono::minutes(10);  // Of what is written in one request.
constexpr int kShownDifferences = 20;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}
// As 2.42 has it, and as 3 has it.
std::string old_text(const std::string& text) {
  return replaced(text, "double_exponential_smoothing(", "holt_winters(");
}
std::string new_text(const std::string& text) {
  return replaced(text, "holt_winters(", "double_exponential_smoothing(");
}

struct Question {
  std::string text;  // In our words.
  Timestamp at;      // Or the start of a range.
  Duration step{0};  // 0: an instant.
  int steps = 0;

  Timestamp end() const { return at + step * steps; }
  std::string when() const {
    const std::string start = format_value(to_seconds(at));
    if (step.count() == 0) return "at " + start;
    return "from " + start + " to " + format_value(to_seconds(end())) + " step " +
           format_value(to_seconds(step));
  }
};

// Seven seconds past a multiple of ten: see random_expr.cc.
Question random_question(Dice& dice) {
  Question out{new_text(ExprDice(dice).expression()),
               kDataStart + std::chrono::seconds(10 * dice.between(360, 900) + 7)};
  if (dice.one_in(2)) return out;
  out.step = std::chrono::seconds(10 * dice.between(1, 18));
  out.steps = static_cast<int>(dice.between(0, 12));
  const auto tree = promql::parse(out.text);
  const bool has_steps = tree && (promql::type_of(**tree) == promql::ValueType::Vector ||
                                  promql::type_of(**tree) == promql::ValueType::Scalar);
  if (!has_steps) out.step = Duration(0);
  return out;
}

class Engines {
 public:
  explicit Engines(std::string url) : url_(std::move(url)) { prometheus_.url = url_; }

  Result<void> fill(const std::vector<RandomSeries>& all) {
    const auto block = store_.add_block({.history = 2 * kDataLength});
    for (const RandomSeries& series : all) {
      const auto id = store_.add_series(block, series.labels, false);
      for (const Sample& sample : series.samples) store_.append_sample(id, sample.at, sample.value);
    }
    for (Timestamp from = kDataStart; from < kDataStart + 2 * kDataLength; from += kSlice) {
      std::vector<WrittenSeries> slice;
      for (const RandomSeries& series : all) {
        const auto samples = within(series.samples, from, from + kSlice);
        if (!samples.empty()) slice.push_back({&series.labels, samples});
      }
      if (slice.empty()) continue;
      if (auto done = remote_write(url_ + "/api/v1/write", slice); !done) return done;
    }
    return {};
  }

  Outcome ours(const Question& question) const {
    auto tree = promql::parse(question.text);
    if (!tree) return fail(ErrorCode::InvalidArgument, tree.error().message);
    auto query = promql::Query::prepare(*tree);
    if (question.step.count() == 0) return query.evaluate(store_, question.at);
    return query.evaluate_range(store_, question.at, question.end(), question.step);
  }

  Outcome theirs(const Question& question) const {
    const std::string text = old_text(question.text);
    if (question.step.count() == 0) return source::ask_remote(prometheus_, text, question.at);
    return source::ask_remote(prometheus_, text,
                              source::RemoteRange{question.at, question.end(), question.step});
  }

 private:
  static std::span<const Sample> within(const std::vector<Sample>& samples, Timestamp from,
                                        Timestamp to) {
    const auto is_before = [](const Sample& s, Timestamp t) { return s.at < t; };
    const auto begin = std::lower_bound(samples.begin(), samples.end(), from, is_before);
    return {begin, std::lower_bound(begin, samples.end(), to, is_before)};
  }

  std::string url_;
  source::RemoteConfig prometheus_;
  store::Store store_;
};

// The smallest part of the expression on which the engines differ by itself.
Question smallest_difference(const Engines& engines, const Question& question) {
  const auto tree = promql::parse(question.text);
  if (!tree) return question;
  for (const promql::ExprPtr& child : promql::children_of(**tree)) {
    Question part = question;
    part.text = promql::print(*child);
    if (promql::type_of(*child) == promql::ValueType::Matrix) part.step = Duration(0);
    if (!same_outcome(engines.ours(part), engines.theirs(part))) {
      return smallest_difference(engines, part);
    }
  }
  return question;
}

struct Tally {
  int asked = 0;
  int empty = 0;
  int failed = 0;
  int differences = 0;
};

void show_difference(const Engines& engines, const Question& question) {
  const Question least = smallest_difference(engines, question);
  std::cout << "DIFFERENT: " << question.text << "\n  " << question.when() << "\n";
  if (least.text != question.text) std::cout << " because: " << least.text << "\n";
  const Outcome ours = engines.ours(least);
  const Outcome theirs = engines.theirs(least);
  std::cout << " ours, where it differs:\n"
            << describe_beside(ours, theirs) << " Prometheus:\n"
            << describe_beside(theirs, ours) << std::flush;
}

// False: Prometheus does not answer at all.
bool ask(const Engines& engines, const Question& question, Tally& tally) {
  const Outcome ours = engines.ours(question);
  const Outcome theirs = engines.theirs(question);
  if (!theirs && theirs.error().code != ErrorCode::Execution &&
      theirs.error().code != ErrorCode::InvalidArgument) {
    std::cerr << "Prometheus: " << theirs.error().message << ": " << question.text << "\n";
    return false;
  }
  ++tally.asked;
  tally.empty += is_empty(theirs);
  tally.failed += !theirs;
  const bool is_sorted = question.text.starts_with("sort") && question.step.count() == 0;
  if (same_outcome(ours, theirs) && (!is_sorted || same_order(ours, theirs))) return true;
  if (++tally.differences <= kShownDifferences) show_difference(engines, question);
  return true;
}

struct Options {
  std::string prometheus;
  std::uint64_t seed = 1;
  int count = 500;
  bool texts = false;
};

int print_texts(const Options& options) {
  Dice dice(options.seed);
  for (int i = 0; i < options.count; ++i) {
    const std::string text = ExprDice(dice).expression();
    const auto tree = promql::parse(new_text(text));
    const std::string printed = tree ? old_text(promql::print(**tree)) : tree.error().message;
    std::cout << boost::json::object{{"expr", text}, {"printed", printed}} << "\n";
  }
  return 0;
}

int run(const Options& options) {
  Dice dice(options.seed);
  const std::vector<RandomSeries> data = random_series(dice);
  Engines engines(options.prometheus);
  if (auto filled = engines.fill(data); !filled) {
    std::cerr << "remote write: " << filled.error().message << "\n";
    return 2;
  }
  Tally tally;
  for (int i = 0; i < options.count; ++i) {
    if (!ask(engines, random_question(dice), tally)) return 2;
  }
  std::cout << "seed " << options.seed << ": " << tally.asked << " expressions over " << data.size()
            << " series, " << tally.empty << " empty, " << tally.failed << " errors, "
            << tally.differences << " differences\n";
  return tally.differences == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tocsin::differential

int main(int argc, char** argv) {
  tocsin::differential::Options options;
  CLI::App app("Our engine beside a Prometheus, over random expressions");
  app.add_option("--prometheus", options.prometheus, "URL of an empty Prometheus");
  app.add_option("--seed", options.seed);
  app.add_option("--count", options.count);
  app.add_flag("--texts", options.texts, "only print expressions");
  CLI11_PARSE(app, argc, argv);
  return options.texts ? tocsin::differential::print_texts(options)
                       : tocsin::differential::run(options);
}
