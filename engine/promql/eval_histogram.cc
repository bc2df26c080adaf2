// SPDX-License-Identifier: Apache-2.0
//
// histogram_quantile() and histogram_fraction() over classic buckets. Which rows are the buckets of
// which histogram is worked out once per shape.
#include <cmath>

#include "promql/annotations.h"
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
  std::vector<std::uint32_t> malformed;  // Rows whose bound is not a number.
  std::vector<std::string> metrics;      // By histogram.
};

Histograms find_histograms(const Shape& shape) {
  Histograms out;
  auto found = std::make_shared<Shape>();
  std::unordered_map<Labels, std::uint32_t> numbers;
  for (std::uint32_t row = 0; row < shape.rows.size(); ++row) {
    const Labels& labels = shape.rows[row].labels;
    const auto bound = parse_number(labels.get(kBound));
    if (!bound) {
      out.malformed.push_back(row);
      continue;
    }
    Labels rest = labels.without(kBound);
    const auto [it, is_new] =
        numbers.try_emplace(rest, static_cast<std::uint32_t>(found->rows.size()));
    if (is_new) {
      out.metrics.emplace_back(labels.metric_name());
      found->rows.push_back({std::move(rest), true});
    }
    out.members.push_back({row, it->second, *bound});
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
    if (params.size() == 1) return quantiles(params[0], histograms, context.annotations);
    Frame out(histograms.shape);
    for (std::size_t h = 0; h < buckets_.size(); ++h) {
      if (!buckets_[h].empty()) out.values[h] = bucket_fraction(params[0], params[1], buckets_[h]);
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

}  // namespace

NodePtr plan_histogram_call(const Call& call, Special) {
  return std::make_unique<HistogramNode>(call);
}

}  // namespace tocsin::promql
