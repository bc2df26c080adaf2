// SPDX-License-Identifier: Apache-2.0
#include "promql/kept_sums.h"

#include <limits>

namespace tocsin::promql {
namespace {

// With more to be read than this share, all is: one after another is faster.
constexpr std::size_t kFewOf = 4;

constexpr std::uint32_t kNoNumber = std::numeric_limits<std::uint32_t>::max();

}  // namespace

void KeptSums::sum(Context& context, RowStream& stream, const Rows& rows, std::span<double> out) {
  const std::span<const Piece> pieces = stream.pieces();
  if (shape_ != rows.shape) {
    lay_out(pieces, rows, out.size());
    shape_ = rows.shape;
  }
  const RangeNode& source = stream.source();
  stale_.clear();
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    const State& state = states_[i];
    const std::uint64_t written = source.written(pieces[i]);
    const bool is_known = written != 0 && written == state.written && state.from == source.from() &&
                          state.upto == source.upto();
    if (is_known) {
      context.samples += state.samples;
    } else {
      stale_.push_back(i);
    }
  }
  read_stale(context, stream);
  add_up(out);
}

void KeptSums::look_ahead(Context& context, RowStream& stream) {
  const std::span<const Piece> pieces = stream.pieces();
  stale_.clear();
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    if (states_[i].written != stream.source().written(pieces[i])) stale_.push_back(i);
  }
  read_stale(context, stream);
}

void KeptSums::read_stale(Context& context, RowStream& stream) {
  const std::span<const Piece> pieces = stream.pieces();
  if (stale_.size() * kFewOf <= pieces.size()) stream.source().read_few(stale_.size());
  for (const std::uint32_t i : stale_) read(i, pieces[i], context, stream);
}

void KeptSums::read(std::size_t index, const Piece& piece, Context& context, RowStream& stream) {
  const Part& part = parts_[index];
  const Part& end = parts_[index + 1];
  const std::size_t samples = context.samples;
  stream.read_now(piece.first, context, read_);
  kept_.clear({part.first_sum, end.first_sum - part.first_sum});
  kept_.start(std::span(runs_).subspan(part.first_run, end.first_run - part.first_run),
              part.first_sum);
  kept_.add(std::span(read_.values).first(read_.count));
  const RangeNode& source = stream.source();
  states_[index] = {source.written(piece), source.from(), source.upto(), context.samples - samples};
}

void KeptSums::add_up(std::span<double> out) {
  total_.reset(out.size());
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    std::size_t sum = parts_[i].first_sum;
    for (std::size_t s = parts_[i].first_segment; s < parts_[i + 1].first_segment; ++s) {
      total_.add_sums(kept_, {sum, segments_[s].count}, segments_[s].group);
      sum += segments_[s].count;
    }
  }
  total_.put_sums(out);
}

void KeptSums::lay_out(std::span<const Piece> pieces, const Rows& rows, std::size_t groups) {
  parts_.assign(1, {});
  runs_.clear();
  segments_.clear();
  states_.assign(pieces.size(), {});
  std::vector<std::uint32_t> number_of(groups, kNoNumber);
  for (const Piece& piece : pieces) {
    add_part(rows.groups.subspan(piece.first, piece.count), number_of);
  }
  kept_.reset(parts_.back().first_sum);
}

// Numbers the piece's groups as they come. `number_of` has no number of any group, before and
// after.
void KeptSums::add_part(std::span<const std::uint32_t> groups,
                        std::vector<std::uint32_t>& number_of) {
  const std::size_t first_segment = segments_.size();
  std::uint32_t count = 0;
  std::vector<std::uint32_t> numbers;
  numbers.reserve(groups.size());
  for (const std::uint32_t group : groups) {
    if (number_of[group] == kNoNumber) {
      number_of[group] = count++;
      const bool follows = segments_.size() > first_segment &&
                           segments_.back().group + segments_.back().count == group;
      if (!follows) segments_.push_back({.group = group});
      ++segments_.back().count;
    }
    numbers.push_back(number_of[group]);
  }
  for (const GroupRun& run : runs_of_groups(numbers)) runs_.push_back(run);
  for (const std::uint32_t group : groups) number_of[group] = kNoNumber;
  parts_.push_back({static_cast<std::uint32_t>(runs_.size()),
                    static_cast<std::uint32_t>(segments_.size()), parts_.back().first_sum + count});
}

}  // namespace tocsin::promql
