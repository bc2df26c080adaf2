// SPDX-License-Identifier: Apache-2.0
//
// Functions of range vectors: of every sample in a window, or of its ends alone.
#include <algorithm>
#include <map>
#include <utility>

#include "promql/annotations.h"
#include "promql/call_params.h"
#include "promql/change.h"
#include "promql/histogram_eval.h"
#include "promql/plan.h"
#include "promql/row_stream.h"
#include "promql/sorted_window.h"

namespace tocsin::promql {
namespace {

const Expr* argument_of_type(const Call& call, ValueType type) {
  for (const ExprPtr& arg : call.args) {
    if (arg->type == type) return arg.get();
  }
  return nullptr;
}

// Windows that slide over samples.
struct Track {
  struct Bounds {
    std::size_t first = 0;
    std::size_t last = 0;  // One after.

    std::size_t count() const { return last - first; }
  };

  Steps steps;
  std::span<const store::Interval> windows;  // By step.
  std::vector<std::int64_t> times_ms;        // Of the samples.
  std::vector<Bounds> bounds;                // By step: the window's samples.

  void find_bounds() {
    bounds.clear();
    Bounds now;
    for (const store::Interval& window : windows) {
      now.first = first_after(window.after, now.first);
      now.last = first_after(window.upto, std::max(now.first, now.last));
      bounds.push_back(now);
    }
  }

 private:
  std::size_t first_after(Timestamp at, std::size_t from) const {
    while (from < times_ms.size() && times_ms[from] <= to_millis(at)) ++from;
    return from;
  }
};

// What functions of range vectors have in common. At several steps of a range query, they read
// every series once.
class RangeCallNode : public Node, private RowStream {
 public:
  explicit RangeCallNode(const Call& call)
      : call_(call),
        argument_(plan_range(*argument_of_type(call, ValueType::Matrix))),
        params_(call) {}

  Result<Frame> vector(Context& context) final {
    if (RowStream* rows = stream(context); rows && works_ahead(context)) {
      return vector_ahead(context, *rows);
    }
    const bool has_histograms = context.reader.has_histograms();
    const auto shape = open(context);
    if (!shape) return fail(shape.error());
    Frame out(*shape);
    const std::span<double> values(out.values);
    for (std::size_t first = 0; first < values.size();) {
      first += evaluate(first, values.subspan(first));
    }
    if (has_histograms) evaluate_histograms(call_, *argument_, context, out);
    note(out, context.annotations);
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    return out;
  }

  RowStream* stream(const Context& context) final {
    return context.reader.has_histograms() ? nullptr : this;
  }

 protected:
  // Whether a row's value is a matter of its window alone, and there is nothing to note.
  virtual bool is_plain() { return false; }
  // Whatever an evaluation needs besides the argument.
  virtual Result<void> prepare(Context&) { return {}; }
  virtual bool keeps_name() const { return false; }
  // The values of some rows from `first` on, of the window that the argument has opened. How many:
  // one at least, and not more than `out` has room for. absent_value() where a row has none.
  virtual std::size_t evaluate(std::size_t first, std::span<double> out) = 0;
  // One or more of the rows from `first` on, with their values at all of the steps, of which these
  // are the windows. absent_value() where a row has none. It counts their samples itself.
  virtual void evaluate_ahead(const Steps& steps, std::span<const store::Interval> windows,
                              WindowsAhead& ahead, std::size_t first, StreamedRows& out) = 0;
  virtual void note(const Frame&, Annotations&) {}
  virtual void note(const StreamedRows&, Annotations&) {}

  const Call& call() const { return call_; }
  RangeNode& argument() { return *argument_; }
  Params& params() { return params_; }

 private:
  static constexpr std::size_t kRowsAtOnce = store::EndsBatch::kMostRows;
  // How many values are worked out ahead, at most.
  static constexpr std::size_t kMostValues = std::size_t{1} << 22;

  bool works_ahead(const Context& context) const override {
    return context.is_one_of_many() && params_.is_constant() &&
           argument_->ahead(context) != nullptr;
  }

  Result<ShapePtr> open(Context& context) override {
    if (auto prepared = prepare(context); !prepared) return fail(prepared.error());
    if (auto opened = argument_->open(context); !opened) return fail(opened.error());
    return keeps_name() ? argument_->shape() : shape_.get(argument_->shape(), drop_name);
  }

  std::span<const Piece> pieces() override {
    return is_plain() ? argument_->pieces() : std::span<const Piece>();
  }
  RangeNode& source() override { return *argument_; }

  Result<Frame> vector_ahead(Context& context, RowStream& rows) {
    const auto shape = open(context);
    if (!shape) return fail(shape.error());
    if (!buffer_.holds(context, *shape)) {
      const auto begin = [&](const ShapePtr& of) {
        const std::size_t most = kMostValues / std::max<std::size_t>(of->rows.size(), 1);
        buffer_.reset(context, of, of, Steps::upcoming(context, most));
      };
      const auto add = [&](const StreamedRows& some) {
        for (std::size_t k = 0; k < some.steps; ++k) {
          std::ranges::copy(some.step(k), buffer_.values(k).data() + some.first);
        }
      };
      if (auto filled = buffer_.fill(context, rows, begin, add); !filled) {
        return fail(filled.error());
      }
    }
    Frame out = buffer_.take(context);
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    return out;
  }

  void read_now(std::size_t first, Context& context, StreamedRows& out) override {
    out.first = first;
    out.steps = 1;
    out.values.resize(kRowsAtOnce);
    const std::size_t rows = argument_->shape()->rows.size();
    out.count = evaluate(first, std::span(out.values).first(std::min(rows - first, kRowsAtOnce)));
    note(out, context.annotations);
  }

  void read(const Steps& steps, std::size_t first, Context& context, StreamedRows& out) override {
    WindowsAhead& ahead = *argument_->ahead(context);
    windows_.clear();
    for (std::size_t k = 0; k < steps.count; ++k) {
      windows_.push_back(ahead.window_at(context, steps.at(k)));
    }
    out.first = first;
    out.steps = steps.count;
    evaluate_ahead(steps, windows_, ahead, first, out);
    note(out, context.annotations);
  }

  Call call_;
  RangeNodePtr argument_;
  Params params_;
  RowwiseShape shape_;
  StepBuffer buffer_;
  std::vector<store::Interval> windows_;  // By step.
};

// avg_over_time(m) and its like: a function of each row's samples.
class SamplesCallNode : public RangeCallNode {
 public:
  SamplesCallNode(const Call& call, RangeFunction function)
      : RangeCallNode(call),
        function_(function),
        quantile_(call.function->name == "quantile_over_time" ? call.args[0] : nullptr) {}

 protected:
  Result<void> prepare(Context& context) override {
    const auto values = params().read(context);
    if (!values) return fail(values.error());
    at_ = context.at;
    param_values_ = *values;
    if (quantile_) note_quantile(param_values_[0], *quantile_, context.annotations);
    return {};
  }

  bool keeps_name() const override { return call().function->traits.keeps_name; }

  std::size_t evaluate(std::size_t first, std::span<double> out) override {
    const std::size_t count = std::min(kWindowsAtOnce, out.size());
    argument().windows(first, count, windows_);
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = store::absent_value();
      put_value({windows_[i], argument().from(), argument().upto(), at_}, out[i]);
    }
    return count;
  }

  void evaluate_ahead(const Steps& steps, std::span<const store::Interval> windows,
                      WindowsAhead& ahead, std::size_t first, StreamedRows& out) override {
    track_.steps = steps;
    track_.windows = windows;
    ahead.read_grid(first, {windows.front().after, windows.back().upto}, grid_);
    out.count = grid_.rows;
    out.values.assign(out.count * steps.count, store::absent_value());
    out.samples.assign(steps.count, 0);
    slide_over_grid(out);
  }

 private:
  static constexpr std::size_t kWindowsAtOnce = 64;  // Their samples fit into the nearest cache.

  // Rows with a sample at every time first: they have the bounds of their windows in common.
  void slide_over_grid(StreamedRows& out) {
    track_.times_ms = grid_.times_ms;
    track_.find_bounds();
    gaps_.clear();
    for (std::size_t row = 0; row < grid_.rows; ++row) {
      const auto values = grid_.row(row);
      if (std::any_of(values.begin(), values.end(), store::is_absent)) {
        gaps_.push_back(row);
      } else {
        slide(values, row, out);
      }
    }
    for (const std::size_t row : gaps_) {
      leave_out_gaps(row);
      track_.find_bounds();
      slide(values_, row, out);
    }
  }

  void leave_out_gaps(std::size_t row) {
    track_.times_ms.clear();
    values_.clear();
    const auto values = grid_.row(row);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (store::is_absent(values[i])) continue;
      track_.times_ms.push_back(grid_.times_ms[i]);
      values_.push_back(values[i]);
    }
  }

  // A row that has these values at the times of the track.
  void slide(std::span<const double> values, std::size_t row, StreamedRows& out) {
    if (quantile_) return slide_quantile(values, row, out);
    samples_.clear();
    for (std::size_t i = 0; i < values.size(); ++i) {
      samples_.push_back({from_millis(track_.times_ms[i]), values[i]});
    }
    for (std::size_t k = 0; k < out.steps; ++k) {
      const auto& [first, last] = track_.bounds[k];
      const auto& [after, upto] = track_.windows[k];
      const auto samples = std::span<const Sample>(samples_).subspan(first, last - first);
      put_value({samples, after, upto, track_.steps.at(k)}, out.step(k)[row]);
      out.samples[k] += samples.size();
    }
  }

  // Windows overlap: what they have in common is sorted once.
  void slide_quantile(std::span<const double> values, std::size_t row, StreamedRows& out) {
    sorted_.clear();
    Track::Bounds in;
    for (std::size_t k = 0; k < out.steps; ++k) {
      const Track::Bounds& now = track_.bounds[k];
      out.samples[k] += now.count();
      while (in.last < now.last && in.first < std::min(in.last, now.first)) {
        sorted_.replace(values[in.first++], values[in.last++]);
      }
      for (; in.last < now.last; ++in.last) sorted_.add(values[in.last]);
      for (; in.first < now.first; ++in.first) sorted_.remove(values[in.first]);
      if (now.count() == 0) continue;
      out.step(k)[row] = quantile_of_sorted(param_values_[0], sorted_.values());
    }
  }

  void put_value(const Window& window, double& out) const {
    if (window.samples.empty()) return;
    if (const auto value = function_(window, param_values_)) out = *value;
  }

  RangeFunction function_;
  ExprPtr quantile_;  // The argument that has to be one; null: none.
  Timestamp at_{};
  std::span<const double> param_values_;
  store::Windows windows_;
  store::Grid grid_;
  Track track_;
  std::vector<std::size_t> gaps_;  // The grid's rows that have some.
  std::vector<double> values_;     // Of one such row.
  std::vector<Sample> samples_;    // Of a row.
  SortedWindow sorted_;
};

// rate(), increase(), delta(): a function of each window's ends.
class ChangeCallNode : public RangeCallNode {
 public:
  ChangeCallNode(const Call& call, Change change) : RangeCallNode(call), changes_(change) {}

 protected:
  bool is_plain() override { return suspects().empty(); }

  std::size_t evaluate(std::size_t first, std::span<double> out) override {
    argument().ends(first, ends_);
    changes_.put(ends_, {argument().from(), argument().upto()}, out);
    return ends_.rows;
  }

  void evaluate_ahead(const Steps& steps, std::span<const store::Interval> windows,
                      WindowsAhead& ahead, std::size_t first, StreamedRows& out) override {
    by_window_.resize(kWindowsAtOnce);
    for (std::size_t done = 0; done < steps.count; done += kWindowsAtOnce) {
      const auto some = windows.subspan(done, std::min(kWindowsAtOnce, steps.count - done));
      const auto ends = std::span(by_window_).first(some.size());
      ahead.read_ends(first, some, ends);
      out.count = ends[0].rows;
      out.values.resize(out.count * steps.count);
      out.samples.resize(steps.count);
      for (std::size_t k = 0; k < some.size(); ++k) {
        changes_.put(ends[k], some[k], out.step(done + k));
        out.samples[done + k] = ends[k].sample_count();
      }
    }
  }

  void note(const Frame& frame, Annotations& annotations) override {
    note_no_counters({0, frame.values.size(), 1, frame.values, {}}, annotations);
  }
  void note(const StreamedRows& rows, Annotations& annotations) override {
    note_no_counters(rows, annotations);
  }

 private:
  static constexpr std::size_t kWindowsAtOnce = 160;

  // The rows of each metric whose name is not a counter's.
  using Suspects = std::map<std::string, std::vector<std::size_t>, std::less<>>;

  static Suspects find_suspects(const Shape& shape) {
    Suspects out;
    for (std::size_t row = 0; row < shape.rows.size(); ++row) {
      if (!is_suspect(shape.rows[row])) continue;
      const std::string_view name = shape.rows[row].labels.metric_name();
      auto it = out.find(name);
      if (it == out.end()) it = out.try_emplace(std::string(name)).first;
      it->second.push_back(row);
    }
    return out;
  }

  static bool is_suspect(const ShapeRow& row) {
    const std::string_view name = row.labels.metric_name();
    return !name.empty() && !names_a_counter(name);
  }

  // Where there is none, and none has come, there is none.
  static bool keep_suspects(const Suspects& suspects, const Shape& shape) {
    return suspects.empty() &&
           std::none_of(shape.changed.begin(), shape.changed.end(),
                        [&](std::uint32_t row) { return is_suspect(shape.rows[row]); });
  }

  // None of a function that takes gauges.
  const Suspects& suspects() {
    static const Suspects kNone;
    if (!call().function->traits.of_counters) return kNone;
    return suspects_.get(argument().shape(), find_suspects, keep_suspects);
  }

  void note_no_counters(const StreamedRows& rows, Annotations& annotations) {
    for (const auto& [name, suspects] : suspects()) {
      const auto begin = std::lower_bound(suspects.begin(), suspects.end(), rows.first);
      const auto end = std::lower_bound(begin, suspects.end(), rows.first + rows.count);
      const bool any = std::any_of(begin, end, [&](std::size_t row) {
        for (std::size_t k = 0; k < rows.steps; ++k) {
          if (!store::is_absent(rows.step(k)[row - rows.first])) return true;
        }
        return false;
      });
      if (any) note_no_counter(name, *call().args[0], annotations);
    }
  }

  Changes changes_;
  Memo<Suspects> suspects_;
  store::EndsBatch ends_;
  std::vector<store::EndsBatch> by_window_;
};

}  // namespace

NodePtr plan_range_call(const Call& call, RangeFunction function) {
  return std::make_unique<SamplesCallNode>(call, function);
}

NodePtr plan_range_call(const Call& call, Change change) {
  return std::make_unique<ChangeCallNode>(call, change);
}

}  // namespace tocsin::promql
