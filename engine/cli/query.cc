// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "api/answer_json.h"
#include "cli/command.h"
#include "cli/source.h"
#include "promql/histogram_notation.h"
#include "tocsin/duration.h"

namespace tocsin::cli {
namespace {

struct Options {
  SourceOptions source;
  std::string expr;
  std::string time;
  std::string start;
  std::string end;
  std::string step = "15s";
  std::string output = "table";
};

Result<Timestamp> read_time(const std::string& text, Timestamp otherwise) {
  if (text.empty()) return otherwise;
  const auto at = parse_time(text);
  if (!at) return fail(ErrorCode::InvalidArgument, "not a time: " + text);
  return *at;
}

Result<promql::Answer> ask(const Options& options) {
  auto source = QuerySource::open(options.source);
  if (!source) return fail(source.error());
  if (options.start.empty()) {
    const auto at = read_time(options.time, source->now());
    if (!at) return fail(at.error());
    return source->instant(options.expr, *at);
  }
  const auto start = read_time(options.start, source->now());
  const auto end = read_time(options.end, source->now());
  const auto step = parse_duration(options.step);
  if (!start) return fail(start.error());
  if (!end) return fail(end.error());
  if (!step || step->count() == 0) {
    return fail(ErrorCode::InvalidArgument, "not a step: " + options.step);
  }
  return source->range(options.expr, {*start, *end, *step});
}

struct PrintTable {
  void operator()(const Sample& scalar) const { std::cout << format_value(scalar.value) << '\n'; }
  void operator()(const promql::Text& text) const { std::cout << text.value << '\n'; }
  void operator()(const promql::Vector& vector) const {
    std::size_t width = 0;
    for (const auto& e : vector) width = std::max(width, e.labels.text().size());
    for (const auto& e : vector) {
      std::string labels = e.labels.text();
      labels.resize(width, ' ');
      std::cout << labels << "  "
                << (e.histogram ? promql::histogram_text(*e.histogram)
                                : format_value(e.sample.value))
                << '\n';
    }
    if (vector.empty()) std::cout << "no series match\n";
  }
  void operator()(const promql::Matrix& matrix) const {
    for (const auto& series : matrix) {
      std::cout << series.labels.text() << '\n';
      for (const Sample& sample : series.samples) {
        std::cout << "  " << format_rfc3339(sample.at) << "  " << format_value(sample.value)
                  << '\n';
      }
      for (const HistogramSample& sample : series.histograms) {
        std::cout << "  " << format_rfc3339(sample.at) << "  "
                  << promql::histogram_text(*sample.histogram) << '\n';
      }
    }
    if (matrix.empty()) std::cout << "no series match\n";
  }
};

int query(const Options& options) {
  const auto answer = ask(options);
  if (!answer) {
    std::cerr << "error: " << answer.error().message << '\n';
    return kFailed;
  }
  for (const promql::Annotation& warning : answer->annotations.warnings) {
    std::cerr << "warning: " << promql::text_of(warning, options.expr) << '\n';
  }
  for (const promql::Annotation& info : answer->annotations.infos) {
    std::cerr << "info: " << promql::text_of(info, options.expr) << '\n';
  }
  if (options.output == "json") {
    std::cout << api::answer_json(answer->value) << '\n';
  } else {
    std::visit(PrintTable{}, answer->value);
  }
  return kOk;
}

}  // namespace

Run add_query(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "query", "Evaluate one PromQL expression over captured pages or at a server");
  add_source_options(*command, options->source);
  command->add_option("EXPR", options->expr, "The expression")->required();
  command->add_option("--time", options->time,
                      "When: RFC 3339 or Unix seconds; default: now, or the newest sample");
  command->add_option("--start", options->start, "A range query from here");
  command->add_option("--end", options->end, "to here");
  command->add_option("--step", options->step, "in these steps")->capture_default_str();
  command->add_option("--output", options->output, "table, or json: the API's data")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  return [options] { return query(*options); };
}

}  // namespace tocsin::cli
