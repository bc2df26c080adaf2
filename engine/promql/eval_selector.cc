// SPDX-License-Identifier: Apache-2.0
//
// Selectors and subqueries: where samples come into an evaluation.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "promql/plan.h"

namespace tocsin::promql {

class MatrixSelectorNode : public RangeNode, private WindowsAhead {
 public:
  explicit MatrixSelectorNode(const MatrixSelector& selector) : selector_(selector) {}

  Result<void> open(Context& context) override {
    SelectorNode::look_up(selector_.vector, context, selection_);
    shape_ = selection_.shape;
    upto_ = context.shifted(selector_.vector.shift);
    from_ = upto_ - selector_.range;
    context_ = &context;
    next_ = 0;
    few_ = 0;
    left_ = 0;
    window_ = nullptr;
    return {};
  }

  void samples(std::size_t row, std::vector<Sample>& out) override {
    out.clear();
    selection_.reader->read(selection_.ids[row], from_, upto_, out);
    context_->samples += out.size();
  }

  void histograms(std::size_t row, std::vector<HistogramSample>& out) override {
    out.clear();
    if (!selection_.reader->has_histograms()) return;
    selection_.reader->read_histograms(selection_.ids[row], from_, upto_, out);
    context_->samples += out.size();
  }

  void windows(std::size_t first, std::size_t count, store::Windows& out) override {
    const auto ids = std::span<const store::SeriesId>(selection_.ids).subspan(first, count);
    selection_.reader->read_windows(ids, from_, upto_, out);
    context_->samples += out.samples.size();
  }

  void ends(std::size_t first, store::EndsBatch& out) override {
    const Layout& layout = find_layout();
    if (next_ == layout.pieces.size() || layout.pieces[next_].first != first) {
      next_ = layout.piece_at(first);
    }
    const Piece& piece = layout.pieces[next_++];
    const auto rest = std::span(layout.runs).subspan(piece.first_run);
    if (!window_) {
      left_ = few_ > 0 ? few_ : layout.pieces.size();
      window_ = selection_.reader->window(few_ > 0 ? few_ * piece.runs : rest.size(), from_, upto_);
    }
    // Of what it is given, it asks for the memory in advance.
    window_->read_ends(few_ > 0 ? rest.first(piece.runs) : rest, out);
    context_->samples += out.sample_count();
    if (--left_ == 0) window_ = nullptr;
  }

  std::span<const Piece> pieces() override { return find_layout().pieces; }
  void read_few(std::size_t pieces) override { few_ = pieces; }
  bool is_current(const Context& context) const override {
    return selection_.reader == &context.reader && selection_.shape &&
           selection_.version == context.reader.version(selector_.vector.name);
  }
  std::uint64_t written(const Piece& piece) const override {
    return selection_.reader->written(piece.block);
  }

  // What lies between windows that do not overlap would be read for nothing.
  WindowsAhead* ahead(const Context& context) override {
    return context.step <= selector_.range ? this : nullptr;
  }

 private:
  // Where the rows stand.
  struct Layout {
    std::vector<store::RowRun> runs;
    std::vector<Piece> pieces;

    explicit Layout(std::vector<store::RowRun> of) : runs(std::move(of)) {
      std::uint32_t row = 0;
      for (std::uint32_t run = 0; run < runs.size(); ++run) {
        const bool fits = !pieces.empty() && pieces.back().block == runs[run].block &&
                          pieces.back().count + runs[run].count <= store::EndsBatch::kMostRows;
        if (!fits) pieces.push_back({.first = row, .block = runs[run].block, .first_run = run});
        pieces.back().count += runs[run].count;
        ++pieces.back().runs;
        row += runs[run].count;
      }
      pieces.shrink_to_fit();
    }

    std::size_t piece_at(std::size_t row) const {
      const auto it = std::lower_bound(pieces.begin(), pieces.end(), row,
                                       [](const Piece& p, std::size_t r) { return p.first < r; });
      return static_cast<std::size_t>(it - pieces.begin());
    }
  };

  const Layout& find_layout() {
    return layout_.get(shape_, [this](const Shape&) {
      return Layout(selection_.reader->runs_of(selection_.ids));
    });
  }

  store::Interval window_at(const Context& context, Timestamp at) const override {
    const TimeShift& shift = selector_.vector.shift;
    const Timestamp upto =
        shift.at.kind == AtModifier::Kind::None ? at - shift.offset : context.shifted(shift);
    return {upto - selector_.range, upto};
  }

  void read_grid(std::size_t first, const store::Interval& all, store::Grid& out) override {
    const auto ids = std::span<const store::SeriesId>(selection_.ids).subspan(first);
    selection_.reader->read_grid(ids, all.after, all.upto, out);
  }

  void read_ends(std::size_t first, std::span<const store::Interval> windows,
                 std::span<store::EndsBatch> out) override {
    const Layout& layout = find_layout();
    const Piece& piece = layout.pieces[layout.piece_at(first)];
    selection_.reader->read_ends_ahead(std::span(layout.runs).subspan(piece.first_run), windows,
                                       out);
  }

  MatrixSelector selector_;
  SelectorNode::Selection selection_;
  Memo<Layout> layout_;  // Of the selection.
  // The next piece that ends() reads, of which window; null before the first and after the last.
  std::size_t next_ = 0;
  std::shared_ptr<const store::WindowReader> window_;
  std::size_t few_ = 0;   // So many pieces will be read; 0: all.
  std::size_t left_ = 0;  // Of them, while there is a window.
  Context* context_ = nullptr;
};

namespace {

store::WindowEnds ends_of(const std::vector<Sample>& samples) {
  store::WindowEnds ends;
  for (const Sample& sample : samples) ends.add(to_millis(sample.at), sample.value);
  return ends;
}

// A subquery repeats samples and leaves some out: what they say of the one before holds no more.
HistogramPtr without_reset_hint(const HistogramPtr& histogram) {
  using Hint = Histogram::ResetHint;
  if (histogram->reset_hint == Hint::Unknown || histogram->reset_hint == Hint::Gauge) {
    return histogram;
  }
  auto out = std::make_shared<Histogram>(*histogram);
  out->reset_hint = Hint::Unknown;
  return out;
}

Timestamp first_multiple_after(Timestamp from, Duration step) {
  const std::int64_t at_ms = step.count() * (to_millis(from) / step.count());
  return from_millis(at_ms > to_millis(from) ? at_ms : at_ms + step.count());
}

// Evaluates its expression at every multiple of the step inside the window. At the steps of a range
// query, windows overlap: what was evaluated stays.
class SubqueryNode : public RangeNode {
 public:
  explicit SubqueryNode(const Subquery& subquery)
      : subquery_(subquery), inner_(plan(*subquery.expr)) {
    shape_ = std::make_shared<const Shape>();
  }

  Result<void> open(Context& context) override {
    upto_ = context.shifted(subquery_.shift);
    from_ = upto_ - subquery_.range;
    const Duration step =
        subquery_.step.count() > 0 ? subquery_.step : context.options.default_step;
    if (auto kept = keep_evaluated(context, step); !kept) return kept;
    const Timestamp outer = context.at;
    const Duration outer_step = context.step;
    const Timestamp outer_last = context.last;
    context.last = last_window(context);
    context.step = step;
    Result<void> result;
    for (; result && next_ <= upto_; next_ += step) {
      context.at = next_;
      result = add_step(context);
    }
    context.at = outer;
    context.step = outer_step;
    context.last = outer_last;
    return result;
  }

  void samples(std::size_t row, std::vector<Sample>& out) override { out = rows_[row].samples; }

  void histograms(std::size_t row, std::vector<HistogramSample>& out) override {
    out = rows_[row].histograms;
  }

  void windows(std::size_t first, std::size_t count, store::Windows& out) override {
    out.samples.clear();
    out.ends.clear();
    for (std::size_t row = first; row < first + count; ++row) {
      const auto& samples = rows_[row].samples;
      out.samples.insert(out.samples.end(), samples.begin(), samples.end());
      out.ends.push_back(out.samples.size());
    }
  }

  void ends(std::size_t first, store::EndsBatch& out) override {
    out.rows = std::min(out.kMostRows, rows_.size() - first);
    out.pieces.clear();
    out.others.clear();
    for (std::uint32_t i = 0; i < out.rows; ++i) {
      out.others.push_back({i, ends_of(rows_[first + i].samples)});
    }
  }

 private:
  struct Row {
    std::vector<Sample> samples;
    std::vector<HistogramSample> histograms;

    void forget_before(Timestamp at) {
      const auto is_early = [at](const auto& sample) { return sample.at < at; };
      std::erase_if(samples, is_early);
      std::erase_if(histograms, is_early);
    }
  };

  // Forgets what lies before the window, or everything if the window does not go on from the last.
  Result<void> keep_evaluated(Context& context, Duration step) {
    const Timestamp first = first_multiple_after(from_, step);
    if (run_ != context.run || step != step_ || first < first_ || first > next_ ||
        next_ > upto_ + step) {
      start_over();
      next_ = first;
    }
    run_ = context.run;
    step_ = step;
    first_ = first;
    std::size_t kept = 0;
    for (Row& row : rows_) {
      row.forget_before(first);
      kept += row.samples.size() + row.histograms.size();
    }
    return context.count(kept);
  }

  // Rows that had no sample lately would pile up where series come and go.
  void start_over() {
    constexpr std::size_t kFewRows = 64;
    const auto used =
        static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [](const Row& row) {
          return !row.samples.empty() || !row.histograms.empty();
        }));
    if (rows_.size() > 2 * used + kFewRows) {
      shape_ = std::make_shared<const Shape>();
      by_labels_.clear();
      places_ = {};
      rows_.clear();
    }
    for (Row& row : rows_) row = {};
  }

  // The end of the last window of the query, if windows overlap until then.
  Timestamp last_window(const Context& context) const {
    const bool is_moving = subquery_.shift.at.kind == AtModifier::Kind::None;
    const bool overlaps = context.step.count() > 0 && context.step <= subquery_.range;
    return is_moving && overlaps && context.last > context.at ? upto_ + (context.last - context.at)
                                                              : upto_;
  }

  Result<void> add_step(Context& context) {
    auto frame = inner_->vector(context);
    if (!frame) return fail(frame.error());
    const std::vector<std::uint32_t>& places =
        places_.get(frame->shape, [&](const Shape& shape) { return place(shape); });
    std::size_t added = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (!frame->has_sample(i)) continue;
      Row& row = rows_[places[i]];
      if (frame->histogram(i)) {
        row.histograms.push_back({context.at, without_reset_hint(frame->histograms[i])});
      } else {
        row.samples.push_back({context.at, frame->values[i]});
      }
      ++added;
    }
    // A step without a sample counts, too: a year of milliseconds has to end somewhere.
    return context.count(std::max<std::size_t>(added, 1));
  }

  // The row of ours that each row of `shape` goes to; new ones are added to our shape.
  std::vector<std::uint32_t> place(const Shape& shape) {
    std::vector<std::uint32_t> places;
    auto grown = std::make_shared<Shape>();
    grown->rows = shape_->rows;
    for (const ShapeRow& row : shape.rows) {
      const auto [it, is_new] =
          by_labels_.try_emplace(row.labels, static_cast<std::uint32_t>(grown->rows.size()));
      if (is_new) {
        grown->changed.push_back(it->second);
        grown->rows.push_back(row);
      }
      places.push_back(it->second);
    }
    rows_.resize(grown->rows.size());
    if (grown->changed.empty()) return places;
    grown->before = shape_;
    shape_ = std::move(grown);
    return places;
  }

  Subquery subquery_;
  NodePtr inner_;
  std::unordered_map<Labels, std::uint32_t> by_labels_;
  Memo<std::vector<std::uint32_t>> places_;
  std::vector<Row> rows_;
  // What was evaluated: the multiples of the step from first_ on, up to next_.
  std::uint64_t run_ = 0;
  Duration step_{0};
  Timestamp first_{};
  Timestamp next_{};
};

}  // namespace

void SelectorNode::look_up(const VectorSelector& selector, const Context& context,
                           Selection& selection) {
  const std::uint64_t version = context.reader.version(selector.name);
  if (selection.reader == &context.reader && selection.version == version && selection.shape) {
    return;
  }
  if (selection.reader == &context.reader && mend(selector, context.reader, selection)) return;
  selection.reader = &context.reader;
  selection.version = version;
  selection.ids = context.reader.select(selector.matchers);
  auto shape = std::make_shared<Shape>();
  for (const store::SeriesId id : selection.ids) {
    shape->rows.push_back({context.reader.labels(id), false});
  }
  selection.shape = std::move(shape);
}

namespace {

// What became of series, by id: whether one of that id is there now.
using Fates = std::unordered_map<store::SeriesId, bool>;

std::vector<store::SeriesId> newborn(const Fates& fates, const Matchers& matchers,
                                     const store::SeriesReader& reader) {
  std::vector<store::SeriesId> out;
  for (const auto& [id, is_there] : fates) {
    if (is_there && matches_all(matchers, reader.labels(id))) out.push_back(id);
  }
  std::sort(out.begin(), out.end());  // Those of a target were mostly born one after another.
  return out;
}

}  // namespace

// Newborn series take the rows of those that are gone; then the last rows do. False if too much has
// happened.
bool SelectorNode::mend(const VectorSelector& selector, const store::SeriesReader& reader,
                        Selection& selection) {
  const auto changes = reader.changes_since(selector.name, selection.version);
  if (!changes || !selection.shape) return false;
  selection.version = reader.version(selector.name);
  Fates fates;
  for (const store::SeriesChange& change : *changes) fates[change.id] = change.born;
  std::vector<store::SeriesId>& ids = selection.ids;
  std::vector<std::uint32_t> free_rows;  // The last ones last.
  for (std::uint32_t row = 0; row < ids.size(); ++row) {
    if (fates.contains(ids[row])) free_rows.push_back(row);
  }
  const auto born = newborn(fates, selector.matchers, reader);
  if (free_rows.empty() && born.empty()) return true;
  auto shape = std::make_shared<Shape>();
  shape->before = selection.shape;
  shape->rows = selection.shape->rows;
  const auto put = [&](std::uint32_t row, store::SeriesId id) {
    if (row == ids.size()) ids.emplace_back();
    ids[row] = id;
    shape->rows.put(row, {reader.labels(id), false});
    shape->changed.push_back(row);
  };
  const std::size_t reused = std::min(born.size(), free_rows.size());
  for (std::size_t i = 0; i < reused; ++i) put(free_rows[i], born[i]);
  for (std::size_t i = reused; i < born.size(); ++i) {
    put(static_cast<std::uint32_t>(ids.size()), born[i]);
  }
  for (; free_rows.size() > reused; free_rows.pop_back()) {
    const auto last = static_cast<std::uint32_t>(ids.size() - 1);
    if (free_rows.back() != last) put(free_rows.back(), ids[last]);
    ids.pop_back();
    shape->rows.pop_back();
  }
  std::erase_if(shape->changed, [&](std::uint32_t row) { return row >= ids.size(); });
  std::sort(shape->changed.begin(), shape->changed.end());
  selection.shape = std::move(shape);
  return true;
}

Result<Frame> SelectorNode::vector(Context& context) {
  look_up(selector_, context, selection_);
  if (works_ahead(context)) {
    Frame frame(selection_.shape, values_ahead(context));
    if (auto counted = context.count(frame.values.size()); !counted) return fail(counted.error());
    return frame;
  }
  Frame frame(selection_.shape);
  times_ms_.resize(frame.values.size());
  const Timestamp at = context.shifted(selector_.shift);
  context.reader.read_latest(selection_.ids, at - context.options.lookback, at, frame.values,
                             times_ms_);
  if (context.reader.has_histograms()) {
    frame.histograms.resize(frame.values.size());
    context.reader.read_latest_histograms(selection_.ids, at - context.options.lookback, at,
                                          frame.histograms, times_ms_);
  }
  if (auto counted = context.count(frame.values.size()); !counted) return fail(counted.error());
  return frame;
}

bool SelectorNode::works_ahead(const Context& context) const {
  return context.is_one_of_many() && !keeps_times_ && !context.reader.has_histograms() &&
         selector_.shift.at.kind == AtModifier::Kind::None;
}

std::vector<double> SelectorNode::values_ahead(const Context& context) {
  constexpr std::size_t kMostValues = std::size_t{1} << 22;
  const std::size_t rows = selection_.ids.size();
  const auto place = [&] {
    return static_cast<std::size_t>((context.at - ahead_.first) / ahead_.step);
  };
  const bool is_here = ahead_.run == context.run && ahead_.shape == selection_.shape &&
                       ahead_.step == context.step && context.at >= ahead_.first &&
                       ((context.at - ahead_.first) % ahead_.step).count() == 0 &&
                       place() < ahead_.values.size() && ahead_.values[place()].size() == rows;
  if (!is_here) {
    const std::size_t most = std::max<std::size_t>(kMostValues / std::max<std::size_t>(rows, 1), 1);
    ahead_ = {context.run, selection_.shape, context.at, context.step, {}};
    ahead_.values.assign(std::min(context.upcoming(), most), std::vector<double>(rows));
    context.reader.read_latest_ahead(selection_.ids, context.options.lookback,
                                     context.shifted(selector_.shift), context.step, ahead_.values);
  }
  return std::exchange(ahead_.values[place()], {});
}

RangeNodePtr plan_range(const Expr& expr) {
  const Expr& inner = unwrap(expr);
  if (const auto* node = as<MatrixSelector>(inner)) {
    return std::make_unique<MatrixSelectorNode>(*node);
  }
  if (const auto* node = as<Subquery>(inner)) return std::make_unique<SubqueryNode>(*node);
  return nullptr;
}

}  // namespace tocsin::promql
