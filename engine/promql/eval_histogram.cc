// SPDX-License-Identifier: Apache-2.0
//
// histogram_quantile() and histogram_fraction() over classic buckets and native histograms, and the
// functions of one native histogram. Which rows are the buckets of which histogram is worked out
// once per shape.
#include <cmath>

#include "promql/annotations.h"
#include "promql/histogram_values.h"
#include "promql/label_keys.h"
#include "promql/plan.h"

namespace tocsin::promql {
namespace {

constexpr std::string_view kBound = "le";

struct Histograms {
  ShapePtr shape;  // One row per histogram.
  struct Member {
    std::uint32_t row;  // Of the input.
    std::uint32_t histogram;
    double upper_bound;
  };
  std::vector<Member> members;
  std::vector<std::uint32_t> of_rows;    // By row: the histogram that it is, if it is a native one.
  std::vector<std::uint32_t> malformed;  // Rows whose bound is not a number.
  std::vector<std::string> metrics;      // By histogram.
};

Histograms find_histograms(const Shape& shape) {
  Histograms out;
  auto found = std::make_shared<Shape>();
  LabelKeys keys(LabelKeys::Mode::Without, {std::string(kBound)});
  for (std::uint32_t row = 0; row < shape.rows.size(); ++row) {
    const Labels& labels = shape.rows[row].labels;
    const auto bound = parse_number(labels.get(kBound));
    const std::uint32_t histogram = keys.number(labels);
    if (histogram == found->rows.size()) {
      out.metrics.emplace_back(labels.metric_name());
      found->rows.push_back({keys.project(labels), true});
    }
    out.of_rows.push_back(histogram);
    if (bound) {
      out.members.push_back({row, histogram, *bound});
    } else {
      out.malformed.push_back(row);
    }
  }
  out.shape = std::move(found);
  return out;
}

class HistogramNode : public Node {
 public:
  explicit HistogramNode(const Call& call) : call_(call), argument_(plan(*call.args.back())) {
    for (std::size_t i = 0; i + 1 < call.args.size(); ++i) params_.push_back(plan(*call.args[i]));
  }

  Result<Frame> vector(Context& context) override {
    std::vector<double> params;
    for (const NodePtr& node : params_) {
      const auto value = node->scalar(context);
      if (!value) return fail(value.error());
      params.push_back(*value);
    }
    const auto frame = argument_->vector(context);
    if (!frame) return frame;
    const Histograms& histograms = histograms_.get(frame->shape, find_histograms);
    buckets_.resize(histograms.shape->rows.size());
    for (auto& buckets : buckets_) buckets.clear();
    for (const auto& member : histograms.members) {
      const double count = frame->values[member.row];
      if (!store::is_absent(count))
        buckets_[member.histogram].push_back({member.upper_bound, count});
    }
    note_malformed(*frame, histograms, context.annotations);
    Frame out = params.size() == 1 ? quantiles(params[0], histograms, context.annotations)
                                   : fractions(params[0], params[1], histograms);
    if (!frame->histograms.empty()) {
      add_natives(params, *frame, histograms, out, context.annotations);
    }
    return out;
  }

 private:
  Frame quantiles(double q, const Histograms& histograms, Annotations& annotations) {
    note_quantile(q, *call_.args.front(), annotations);
    Frame out(histograms.shape);
    for (std::size_t h = 0; h < buckets_.size(); ++h) {
      if (buckets_[h].empty()) continue;
      const BucketQuantile quantile = bucket_quantile(q, buckets_[h]);
      out.values[h] = quantile.value;
      if (!quantile.was_fixed) continue;
      note_fixed_buckets(histograms.metrics[h], *call_.args.back(), annotations);
    }
    return out;
  }

  Frame fractions(double lower, double upper, const Histograms& histograms) {
    Frame out(histograms.shape);
    for (std::size_t h = 0; h < buckets_.size(); ++h) {
      if (!buckets_[h].empty()) out.values[h] = bucket_fraction(lower, upper, buckets_[h]);
    }
    return out;
  }

  void add_natives(std::span<const double> params, const Frame& frame, const Histograms& histograms,
                   Frame& out, Annotations& annotations) {
    for (std::size_t row = 0; row < frame.histograms.size(); ++row) {
      if (!frame.histogram(row)) continue;
      const std::uint32_t h = histograms.of_rows[row];
      const std::string& metric = histograms.metrics[h];
      if (!buckets_[h].empty()) {
        out.remove(h);
        note_both_histograms(metric, *call_.args.back(), annotations);
      } else {
        out.values[h] = value_of(*frame.histogram(row), params, metric, annotations);
      }
    }
  }

  double value_of(const Histogram& histogram, std::span<const double> params,
                  std::string_view metric, Annotations& annotations) {
    const auto note = [&](std::string_view what) {
      note_nan_observations(what, metric, *call_.args.front(), annotations);
    };
    if (params.size() == 2) {
      const double fraction = native_fraction(params[0], params[1], histogram);
      if (std::isnan(histogram.sum) && params[0] < params[1]) {
        note("histogram_fraction has NaN observations, which are excluded from all fractions");
      }
      return fraction;
    }
    const NativeQuantile quantile = native_quantile(params[0], histogram);
    if (quantile.nan_effect == NanEffect::IsResult) {
      note("histogram_quantile has NaN observations, result is NaN");
    } else if (quantile.nan_effect == NanEffect::SkewsHigher) {
      note("histogram_quantile has NaN observations, result is skewed higher");
    }
    return quantile.value;
  }

  void note_malformed(const Frame& frame, const Histograms& histograms, Annotations& annotations) {
    for (const std::uint32_t row : histograms.malformed) {
      if (store::is_absent(frame.values[row])) continue;
      const Labels& labels = frame.shape->rows[row].labels;
      note_bad_bucket(labels.get(kBound), labels.metric_name(), *call_.args.back(), annotations);
    }
  }

  Call call_;
  NodePtr argument_;
  std::vector<NodePtr> params_;
  Memo<Histograms> histograms_;
  std::vector<std::vector<Bucket>> buckets_;
};

// histogram_count(v) and its like.
class HistogramValueNode : public Node {
 public:
  HistogramValueNode(const Call& call, HistogramFunction function)
      : function_(function), argument_(plan(*call.args[0])) {}

  Result<Frame> vector(Context& context) override {
    const auto frame = argument_->vector(context);
    if (!frame) return frame;
    Frame out(shape_.get(frame->shape, drop_name));
    for (std::size_t row = 0; row < frame->histograms.size(); ++row) {
      if (frame->histogram(row)) out.values[row] = function_(*frame->histogram(row));
    }
    return out;
  }

 private:
  HistogramFunction function_;
  NodePtr argument_;
  RowwiseShape shape_;
};

}  // namespace

NodePtr plan_histogram_call(const Call& call, Special) {
  return std::make_unique<HistogramNode>(call);
}

NodePtr plan_histogram_call(const Call& call, HistogramFunction function) {
  return std::make_unique<HistogramValueNode>(call, function);
}

}  // namespace tocsin::promql
