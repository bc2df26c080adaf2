// SPDX-License-Identifier: Apache-2.0
#include "api/stat.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "alert/rule_life.h"
#include "cli/command.h"
#include "cli/source.h"
#include "tocsin/duration.h"

namespace tocsin::cli {
namespace {

struct Options {
  SourceOptions source;
  api::StatResource resource = api::StatResource::Workload;
  std::string name_space;
  std::string window = "1m";
};

const std::map<std::string, api::StatResource> kResources{{"workload", api::StatResource::Workload},
                                                          {"pod", api::StatResource::Pod},
                                                          {"service", api::StatResource::Service},
                                                          {"route", api::StatResource::Route}};

int stat(const Options& options) {
  const auto window = parse_duration(options.window);
  auto source = QuerySource::open(options.source);
  if (!source || !window) {
    std::cerr << "error: "
              << (source ? "not a duration: " + options.window : source.error().message) << '\n';
    return kFailed;
  }
  // Captured pages without timestamps are one moment: all that can be told is since the start.
  api::StatOptions stat{options.resource, source->is_one_moment() ? Duration(0) : *window, {}};
  if (!options.name_space.empty()) stat.where["namespace"] = options.name_space;
  const auto queries = api::stat_queries(stat);
  std::vector<promql::Vector> answers;
  for (const api::StatQuery& query : queries) {
    const auto answer = source->instant(query.expr, source->now());
    const auto vector = answer ? alert::as_vector(answer->value) : fail(answer.error());
    if (!vector) {
      std::cerr << "error: " << vector.error().message << '\n';
      return kFailed;
    }
    answers.push_back(*vector);
  }
  std::cout << api::stat_table(stat, queries, answers);
  return kOk;
}

}  // namespace

Run add_stat(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "stat",
      "Golden metrics per workload, pod, service or route, as `linkerd viz stat` shows them");
  add_source_options(*command, options->source);
  command->add_option("RESOURCE", options->resource, "workload, pod, service or route")
      ->transform(CLI::CheckedTransformer(kResources));
  command->add_option("-n,--namespace", options->name_space, "Only this namespace");
  command->add_option("--window", options->window, "Over how long")->capture_default_str();
  return [options] { return stat(*options); };
}

}  // namespace tocsin::cli
