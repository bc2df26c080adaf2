// SPDX-License-Identifier: Apache-2.0
//
// Reads the pages of a simulated mesh as a scraper would, and adds up series.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "simulate/mesh.h"
#include "tocsin/exposition.h"

namespace tocsin::simulate {

using Wanted = std::vector<std::pair<std::string, std::string>>;

// One page, read.
class ReadPage {
 public:
  explicit ReadPage(std::string text) : text_(std::move(text)) {
    exposition::PageReader reader(text_, exposition::Dialect::Detect);
    exposition::PageSample sample;
    while (reader.next(sample)) {
      const auto labels = exposition::decode_labels(sample);
      REQUIRE_MESSAGE(labels, labels.error().message);
      const bool is_new = values_.emplace(*labels, sample.value).second;
      CHECK_MESSAGE(is_new, "twice: ", labels->text());
    }
    if (!reader.ok()) FAIL(reader.error().message);
  }

  const std::map<Labels, double>& values() const { return values_; }
  const std::string& text() const { return text_; }

  // The sum of the series of that name that have these labels.
  double sum(const std::string& name, const Wanted& wanted = {}) const {
    double out = 0;
    for (const auto& [labels, value] : values_) {
      if (fits(labels, name, wanted)) out += value;
    }
    return out;
  }
  std::size_t count(const std::string& name, const Wanted& wanted = {}) const {
    return static_cast<std::size_t>(
        std::count_if(values_.begin(), values_.end(),
                      [&](const auto& entry) { return fits(entry.first, name, wanted); }));
  }

 private:
  static bool fits(const Labels& labels, const std::string& name, const Wanted& wanted) {
    return labels.metric_name() == name &&
           std::all_of(wanted.begin(), wanted.end(),
                       [&](const auto& want) { return labels.get(want.first) == want.second; });
  }

  std::string text_;
  std::map<Labels, double> values_;
};

inline constexpr Timestamp kStart = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

inline std::string page_of(const Mesh& mesh, const std::string& path) {
  std::string out;
  REQUIRE(mesh.render(path, out) == Mesh::Answer::Page);
  return out;
}

// All pages of the targets with a label.
inline std::vector<ReadPage> pages_with(const Mesh& mesh, const std::string& label,
                                        const std::string& value) {
  std::vector<ReadPage> out;
  for (const Endpoint& endpoint : mesh.endpoints()) {
    std::string text;
    if (endpoint.labels.get(label) != value) continue;
    if (mesh.render(endpoint.path, text) == Mesh::Answer::Page) out.emplace_back(std::move(text));
  }
  return out;
}

inline double sum_of(const std::vector<ReadPage>& pages, const std::string& name,
                     const Wanted& wanted = {}) {
  double out = 0;
  for (const ReadPage& page : pages) out += page.sum(name, wanted);
  return out;
}

// Three workloads in a row, the last one a TCP server: outside → front → back → store.
inline MeshConfig small_mesh(std::vector<FaultConfig> faults = {}) {
  MeshConfig config;
  config.workloads = {
      {.name_space = "shop", .name = "front", .service_account = "front", .services = {{"front"}}},
      {.name_space = "shop",
       .name = "back",
       .replicas = 3,
       .service_account = "back",
       .services = {{"back"}}},
      {.name_space = "shop",
       .name = "store",
       .kind = WorkloadKind::StatefulSet,
       .replicas = 1,
       .service_account = "store",
       .services = {{"store", 5432, Protocol::Tcp}}}};
  config.calls = {{.to = "shop/front", .rate = 20},
                  {.from = "shop/front", .to = "shop/back", .rate = 30},
                  {.from = "shop/back", .to = "shop/store", .rate = 4}};
  config.faults = std::move(faults);
  return config;
}

}  // namespace tocsin::simulate
