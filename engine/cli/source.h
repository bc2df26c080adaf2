// SPDX-License-Identifier: Apache-2.0
//
// Where `query` and `stat` get their data: captured pages, or a running server.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/captured.h"
#include "source/remote_query.h"
#include "tocsin/promql.h"

namespace CLI {
class App;
}

namespace tocsin::cli {

struct SourceOptions {
  std::vector<std::string> data;
  std::string server;
};
void add_source_options(CLI::App& command, SourceOptions& options);

class QuerySource {
 public:
  // Fails when neither or both are given, and when a page cannot be read.
  static Result<QuerySource> open(const SourceOptions& options);

  // The moment that "now" means: of a capture, its newest sample.
  Timestamp now() const { return now_; }
  // Whether it holds captured pages without timestamps.
  bool is_one_moment() const { return captured_ && !captured_->has_timestamps; }
  Result<promql::Answer> instant(const std::string& expr, Timestamp at);
  Result<promql::Answer> range(const std::string& expr, const source::RemoteRange& range);

 private:
  std::optional<daemon::Captured> captured_;
  source::RemoteConfig remote_;
  Timestamp now_{};
};

}  // namespace tocsin::cli
