// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>

#include "promql/plan.h"

namespace tocsin::promql {
namespace {

constexpr char kDuplicate[] = "vector cannot contain metrics with the same labelset";

// A row as the user sees it: without its name where that is to be dropped.
Labels final_labels(const ShapeRow& row) {
  return row.drop_name ? row.labels.drop(schema_labels()) : row.labels;
}

bool has_twins(const Shape& shape) {
  std::unordered_set<Labels> seen;
  for (const ShapeRow& row : shape.rows) {
    if (!seen.insert(final_labels(row)).second) return true;
  }
  return false;
}

// The same, row by row, and only for those that somebody sees.
class FinalRows {
 public:
  explicit FinalRows(const Shape& shape)
      : labels_(shape.rows.size()), known_(shape.rows.size(), false) {}

  bool mend(const Shape& shape) {
    labels_.resize(shape.rows.size());
    known_.resize(shape.rows.size());
    for (const std::uint32_t row : shape.changed) known_[row] = false;
    return true;
  }

  const Labels& of(const Shape& shape, std::size_t row) {
    if (!known_[row]) labels_[row] = final_labels(shape.rows[row]);
    known_[row] = true;
    return labels_[row];
  }

 private:
  std::vector<Labels> labels_;
  std::vector<bool> known_;
};

}  // namespace

class Query::Impl {
 public:
  Impl(ExprPtr expr, const QueryOptions& options) : expr_(std::move(expr)), options_(options) {
    if (expr_->type == ValueType::Matrix) {
      range_ = plan_range(*expr_);
    } else {
      node_ = plan(*expr_);
    }
  }

  const Expr& expr() const { return *expr_; }
  void set_options(QueryOptions options) { options_ = std::move(options); }

  Result<Answer> evaluate(const store::SeriesReader& reader, Timestamp at) {
    Context context{reader, options_, at, at, at};
    context.run = ++runs_;
    looks_ahead_.clear();
    context.looks_ahead = &looks_ahead_;
    auto value = value_at(context);
    if (!value) return fail(value.error());
    return Answer{std::move(*value), std::move(context.annotations)};
  }

  void look_ahead(const store::SeriesReader& reader, Timestamp at) {
    Context context{reader, options_, at, at, at};
    context.run = ++runs_;
    for (LooksAhead* node : looks_ahead_) node->look_ahead(context);
  }

  Result<Answer> evaluate_range(const store::SeriesReader& reader, Timestamp start, Timestamp end,
                                Duration step) {
    if (expr_->type != ValueType::Vector && expr_->type != ValueType::Scalar) {
      return fail(ErrorCode::InvalidArgument,
                  "invalid expression type \"" + std::string(type_name(expr_->type)) +
                      "\" for range query, must be Scalar or instant Vector");
    }
    Context context{reader, options_, start, end, start};
    context.run = ++runs_;
    context.step = step;
    context.last = end;
    Collector collector;
    for (; context.at <= end; context.at += step) {
      if (options_.pause && context.at != start) options_.pause();
      context.samples = 0;  // The limit is on one evaluation, as in Prometheus.
      if (auto added = add_step(context, collector); !added) return fail(added.error());
    }
    return Answer{collector.take(), std::move(context.annotations)};
  }

 private:
  // Puts the steps of a range query together, series by series.
  class Collector {
   public:
    Result<void> add(Timestamp at, const Frame& frame) {
      const auto& places =
          places_.get(frame.shape, [&](const Shape& shape) { return place(shape); });
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (!frame.has_sample(i)) continue;
        Series& series = series_[places[i]];
        if (has_sample_at(series, at)) return fail(ErrorCode::Execution, kDuplicate);
        if (frame.histogram(i)) {
          series.histograms.push_back({at, frame.histograms[i]});
        } else {
          series.samples.push_back({at, frame.values[i]});
        }
      }
      return {};
    }

    void add_scalar(Timestamp at, double value) {
      if (series_.empty()) series_.emplace_back();
      series_[0].samples.push_back({at, value});
    }

    Matrix take() {
      std::erase_if(series_,
                    [](const Series& s) { return s.samples.empty() && s.histograms.empty(); });
      std::sort(series_.begin(), series_.end(),
                [](const Series& a, const Series& b) { return a.labels < b.labels; });
      return std::move(series_);
    }

   private:
    static bool has_sample_at(const Series& series, Timestamp at) {
      return (!series.samples.empty() && series.samples.back().at == at) ||
             (!series.histograms.empty() && series.histograms.back().at == at);
    }

    std::vector<std::size_t> place(const Shape& shape) {
      std::vector<std::size_t> places;
      for (const ShapeRow& row : shape.rows) {
        Labels labels = final_labels(row);
        const auto [it, is_new] = by_labels_.try_emplace(labels, series_.size());
        if (is_new) series_.push_back({std::move(labels), {}, {}});
        places.push_back(it->second);
      }
      return places;
    }

    Matrix series_;
    std::unordered_map<Labels, std::size_t> by_labels_;
    Memo<std::vector<std::size_t>> places_;
  };

  Result<void> add_step(Context& context, Collector& collector) {
    if (auto counted = context.count(0); !counted) return counted;
    if (expr_->type == ValueType::Scalar) {
      const auto value = node_->scalar(context);
      if (!value) return fail(value.error());
      collector.add_scalar(context.at, *value);
      return {};
    }
    const auto frame = node_->vector(context);
    if (!frame) return fail(frame.error());
    return collector.add(context.at, *frame);
  }

  Result<Value> value_at(Context& context) {
    switch (expr_->type) {
      case ValueType::Scalar: {
        const auto value = node_->scalar(context);
        if (!value) return fail(value.error());
        return Value(Sample{context.at, *value});
      }
      case ValueType::String:
        return Value(Text{context.at, node_->text()});
      case ValueType::Matrix:
        return matrix_at(context);
      default:
        return vector_at(context);
    }
  }

  Result<Value> vector_at(Context& context) {
    const auto frame = node_->vector(context);
    if (!frame) return fail(frame.error());
    FinalRows& rows = rows_.get(
        frame->shape, [](const Shape& shape) { return FinalRows(shape); },
        [](FinalRows& known, const Shape& shape) { return known.mend(shape); });
    Vector out;
    const auto add = [&](std::size_t row) {
      if (!frame->has_sample(row)) return;
      if (frame->histogram(row)) {
        out.push_back({rows.of(*frame->shape, row), {context.at, 0}, frame->histograms[row]});
      } else {
        out.push_back({rows.of(*frame->shape, row), {context.at, frame->values[row]}, nullptr});
      }
    };
    if (frame->is_ordered) {
      for (const std::uint32_t row : frame->order) add(row);
    } else {
      for (std::size_t row = 0; row < frame->values.size(); ++row) add(row);
    }
    if (may_have_duplicates(*frame, out.size()) && has_duplicates(out)) {
      return fail(ErrorCode::Execution, kDuplicate);
    }
    return Value(std::move(out));
  }

  // Of many rows it is known whether two are alike; twins that do not both have a sample are none.
  bool may_have_duplicates(const Frame& frame, std::size_t elements) {
    constexpr std::size_t kFew = 64;
    return elements <= kFew || twins_.get(frame.shape, has_twins);
  }

  static bool has_duplicates(const Vector& elements) {
    std::unordered_set<Labels> seen;
    return !std::all_of(elements.begin(), elements.end(),
                        [&](const Element& element) { return seen.insert(element.labels).second; });
  }

  Result<Value> matrix_at(Context& context) {
    if (auto opened = range_->open(context); !opened) return fail(opened.error());
    const ShapePtr shape = range_->shape();
    Matrix out;
    for (std::size_t row = 0; row < shape->rows.size(); ++row) {
      Series series{final_labels(shape->rows[row]), {}, {}};
      range_->samples(row, series.samples);
      range_->histograms(row, series.histograms);
      if (!series.samples.empty() || !series.histograms.empty()) out.push_back(std::move(series));
    }
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    std::sort(out.begin(), out.end(),
              [](const Series& a, const Series& b) { return a.labels < b.labels; });
    return Value(std::move(out));
  }

  ExprPtr expr_;
  QueryOptions options_;
  NodePtr node_;
  RangeNodePtr range_;
  Memo<FinalRows> rows_;
  Memo<bool> twins_;
  std::uint64_t runs_ = 0;
  std::vector<LooksAhead*> looks_ahead_;  // Nodes of the plan that the last evaluation read.
};

Query::Query(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Query::Query(Query&&) noexcept = default;
Query& Query::operator=(Query&&) noexcept = default;
Query::~Query() = default;

Query Query::prepare(ExprPtr expr, const QueryOptions& options) {
  return Query(std::make_unique<Impl>(std::move(expr), options));
}

const Expr& Query::expr() const { return impl_->expr(); }

void Query::set_options(QueryOptions options) { impl_->set_options(std::move(options)); }

Result<Answer> Query::evaluate(const store::SeriesReader& reader, Timestamp at) {
  return impl_->evaluate(reader, at);
}

void Query::look_ahead(const store::SeriesReader& reader, Timestamp at) {
  impl_->look_ahead(reader, at);
}

Result<Answer> Query::evaluate_range(const store::SeriesReader& reader, Timestamp start,
                                     Timestamp end, Duration step) {
  return impl_->evaluate_range(reader, start, end, step);
}

}  // namespace tocsin::promql
