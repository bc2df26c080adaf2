// SPDX-License-Identifier: Apache-2.0
//
// Aggregations of native histograms.
#include <array>

#include "promql/histogram_eval.h"

namespace tocsin::promql {
namespace {

// The sum of one group's histograms.
struct HistogramSum {
  std::optional<Histogram> sum;
  double count = 0;
  std::optional<HistogramConflict> conflict;
  std::size_t conflict_row = 0;  // The first that does not fit.
};

std::vector<HistogramSum> sum_groups(const Frame& in, std::span<const std::uint32_t> groups,
                                     std::size_t group_count) {
  std::vector<HistogramSum> out(group_count);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Histogram* histogram = in.histogram(i);
    HistogramSum& group = out[groups[i]];
    if (!histogram || group.conflict) continue;
    ++group.count;
    if (group.sum) {
      group.conflict = add(*group.sum, *histogram);
      group.conflict_row = i;
    } else {
      group.sum = *histogram;
    }
  }
  return out;
}

void fold_sums(const Aggregate& aggregate, const Frame& in, std::span<const std::uint32_t> groups,
               Frame& out, Annotations& annotations) {
  std::vector<HistogramSum> sums = sum_groups(in, groups, out.values.size());
  for (std::size_t g = 0; g < sums.size(); ++g) {
    HistogramSum& group = sums[g];
    if (!group.sum) continue;
    if (!store::is_absent(out.values[g])) {
      out.remove(g);
      annotations.warn("encountered a mix of histograms and floats for aggregation",
                       *aggregate.expr);
    } else if (group.conflict) {
      const Labels& labels = in.shape->rows[group.conflict_row].labels;
      note_conflict(*group.conflict, labels.metric_name(), *aggregate.expr, annotations);
    } else {
      if (aggregate.op == AggregateOp::Avg) divide(*group.sum, group.count);
      out.set_histogram(g, std::make_shared<const Histogram>(std::move(*group.sum)));
    }
  }
}

}  // namespace

void fold_histograms(const Aggregate& aggregate, const Frame& in,
                     std::span<const std::uint32_t> groups, Frame& out, Annotations& annotations) {
  switch (aggregate.op) {
    case AggregateOp::Sum:
    case AggregateOp::Avg:
      return fold_sums(aggregate, in, groups, out, annotations);
    case AggregateOp::Count:
    case AggregateOp::Group:
      for (std::size_t i = 0; i < groups.size(); ++i) {
        if (!in.histogram(i)) continue;
        double& value = out.values[groups[i]];
        const bool counts = aggregate.op == AggregateOp::Count && !store::is_absent(value);
        value = counts ? value + 1 : 1;
      }
      return;
    default:
      note_ignored_histograms(aggregate, in, annotations);
  }
}

void note_ignored_histograms(const Aggregate& aggregate, const Frame& in,
                             Annotations& annotations) {
  for (const HistogramPtr& histogram : in.histograms) {
    if (!histogram) continue;
    return annotations.inform(
        "ignored histogram in " + std::string(text_of(aggregate.op)) + " aggregation",
        *aggregate.expr);
  }
}

void note_conflict(HistogramConflict conflict, std::string_view metric, const Expr& about,
                   Annotations& annotations) {
  annotations.warn(
      (conflict == HistogramConflict::Schemas
           ? "vector contains a mix of histograms with exponential and custom buckets schemas"
           : "vector contains histograms with incompatible custom buckets") +
          std::string(" for metric name ") + quote(metric),
      about);
}

}  // namespace tocsin::promql
