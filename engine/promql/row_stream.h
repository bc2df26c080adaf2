// SPDX-License-Identifier: Apache-2.0
//
// A node that is a RowStream gives some rows at a time, so that whoever folds them into groups does
// so while they are in the nearest cache. In a range query it gives each row's values at many
// evaluations, while the samples that these share are at hand; what is made of them is kept in a
// StepBuffer until its evaluation comes.
#pragma once

#include <span>
#include <vector>

#include "promql/plan.h"

namespace tocsin::promql {

// Some evaluations that come one after another.
struct Steps {
  Timestamp first{};
  Duration step{0};
  std::size_t count = 0;

  Timestamp at(std::size_t index) const { return first + static_cast<Duration::rep>(index) * step; }
  // Of those to come, as many as `most`.
  static Steps upcoming(const Context& context, std::size_t most) {
    return {context.at, context.step, std::clamp<std::size_t>(most, 1, context.upcoming())};
  }
};

// Some rows of a vector, with their values at all steps.
struct StreamedRows {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t steps = 0;
  std::vector<double> values;        // Step after step; absent_value() where there is no sample.
  std::vector<std::size_t> samples;  // How many were read, by step.

  std::span<const double> step(std::size_t index) const {
    return {values.data() + index * count, count};
  }
  std::span<double> step(std::size_t index) { return {values.data() + index * count, count}; }
};

class RowStream {
 public:
  virtual ~RowStream() = default;
  // Looks the series up; which rows there are. Once before the first read, and whenever series may
  // have come or gone.
  virtual Result<ShapePtr> open(Context& context) = 0;
  // Replaces `out` with one or more of the rows from `first` on, at the evaluation that open() was
  // told of. Counts their samples itself.
  virtual void read_now(std::size_t first, Context& context, StreamedRows& out) = 0;
  // After open(): the rows in pieces that read_now() reads at one go, if their values are a matter
  // of their samples and the instant alone. Otherwise none.
  virtual std::span<const Piece> pieces() { return {}; }
  // The argument, which says more about its pieces.
  virtual RangeNode& source() = 0;
  // Whether read() can be called, and the evaluation is one of many.
  virtual bool works_ahead(const Context& context) const = 0;
  // Replaces `out` with one or more of the rows from `first` on, at all of the steps.
  virtual void read(const Steps& steps, std::size_t first, Context& context, StreamedRows& out) = 0;
};

// What many evaluations make of the rows of a stream: a frame for each.
class StepBuffer {
 public:
  // Whether the evaluation that `context` is at is here, made of rows of this shape.
  bool holds(const Context& context, const ShapePtr& rows) const;
  void reset(const Context& context, ShapePtr rows, ShapePtr out, const Steps& steps);
  const Steps& steps() const { return steps_; }
  // By row of the frame.
  std::vector<double>& values(std::size_t step) { return values_[step]; }
  // Gives away the frame of the evaluation that `context` is at.
  Frame take(Context& context);

  // Fills itself: `begin(shape)` resets it to the rows of `stream`, `add(rows)` works in some of
  // them. Both again from the start if series came or went meanwhile.
  template <class Begin, class Add>
  Result<void> fill(Context& context, RowStream& stream, Begin begin, Add add);

 private:
  // So often series may come or go before nobody is let in any more.
  static constexpr int kMostRestarts = 3;

  std::size_t place(const Context& context) const {
    return static_cast<std::size_t>((context.at - steps_.first) / steps_.step);
  }

  std::uint64_t run_ = 0;
  ShapePtr rows_;
  ShapePtr out_;
  Steps steps_;
  std::vector<std::vector<double>> values_;  // By step; taken when it has come.
  std::vector<std::size_t> samples_;
  StreamedRows read_;
};

template <class Begin, class Add>
Result<void> StepBuffer::fill(Context& context, RowStream& stream, Begin begin, Add add) {
  for (int restarts = 0;; ++restarts) {
    const auto shape = stream.open(context);
    if (!shape) return fail(shape.error());
    begin(*shape);
    bool has_changed = false;
    for (std::size_t first = 0; !has_changed && first < (*shape)->rows.size();) {
      stream.read(steps_, first, context, read_);
      for (std::size_t k = 0; k < steps_.count; ++k) samples_[k] += read_.samples[k];
      add(read_);
      first += read_.count;
      if (restarts == kMostRestarts) continue;
      const auto paused = context.pause();
      if (!paused) return fail(paused.error());
      if (!*paused) continue;
      const auto now = stream.open(context);
      if (!now) return fail(now.error());
      has_changed = *now != *shape;
    }
    if (!has_changed) return {};
  }
}

}  // namespace tocsin::promql
