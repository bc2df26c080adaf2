// SPDX-License-Identifier: Apache-2.0
#include "cli/source.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace tocsin::cli {
namespace {

Result<promql::Query> prepare(const std::string& expr) {
  const auto parsed = promql::parse(expr);
  if (parsed) return promql::Query::prepare(*parsed);
  const promql::Problem& problem = parsed.error();
  std::string message = "1:" + std::to_string(problem.begin + 1) + ": " + problem.message;
  if (!problem.hint.empty()) message += " (" + problem.hint + ")";
  return fail(ErrorCode::Parse, std::move(message));
}

}  // namespace

void add_source_options(CLI::App& command, SourceOptions& options) {
  command.add_option(
      "--data", options.data,
      "Captured pages: files, folders, patterns, gzip of either; - is standard input; or an "
      "archive of `tocsin run --record`, of which the last hour is read");
  command.add_option("--server,--prometheus", options.server,
                     "A Tocsin or a Prometheus, for example http://127.0.0.1:9467");
}

Result<QuerySource> QuerySource::open(const SourceOptions& options) {
  QuerySource source;
  source.now_ = SystemClock().now();
  if (options.data.empty() == options.server.empty()) {
    return fail(ErrorCode::InvalidArgument, "give either --data or --server");
  }
  if (options.data.empty()) {
    source.remote_.url = options.server;
    return source;
  }
  auto captured = daemon::load_captured(options.data, source.now_);
  if (!captured) return fail(captured.error());
  for (const std::string& complaint : captured->complaints) {
    std::cerr << "warning: " << complaint << '\n';
  }
  if (captured->newest != Timestamp{}) source.now_ = captured->newest;
  source.captured_ = std::move(*captured);
  return source;
}

Result<promql::Answer> QuerySource::instant(const std::string& expr, Timestamp at) {
  if (!captured_) return source::ask_remote(remote_, expr, at);
  auto query = prepare(expr);
  if (!query) return fail(query.error());
  return query->evaluate(*captured_->store, at);
}

Result<promql::Answer> QuerySource::range(const std::string& expr,
                                          const source::RemoteRange& range) {
  if (!captured_) return source::ask_remote(remote_, expr, range);
  auto query = prepare(expr);
  if (!query) return fail(query.error());
  return query->evaluate_range(*captured_->store, range.start, range.end, range.step);
}

}  // namespace tocsin::cli
