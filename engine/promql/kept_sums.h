// SPDX-License-Identifier: Apache-2.0
//
// The sums, by group, of rows that come in pieces (Piece: what one target was scraped for). What a
// piece comes to is kept, and holds until something is written where it is read. So it can be
// worked out while the page that was written is still in the caches; at its time, an evaluation
// only adds up what the pieces have come to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "promql/group_sums.h"
#include "promql/row_stream.h"

namespace tocsin::promql {

class KeptSums {
 public:
  struct Rows {
    const ShapePtr& shape;
    std::span<const std::uint32_t> groups;  // Of each row; the same for the same shape.
  };

  // Replaces `out`, by group, with the sums of `stream` over the window that it was opened for.
  void sum(Context& context, RowStream& stream, const Rows& rows, std::span<double> out);

  // Reads, over the window that `stream` was opened for, the pieces that have been written to since
  // they were last read. The stream's shape must be shape().
  void look_ahead(Context& context, RowStream& stream);

  // Of the last sums; null: there were none.
  const ShapePtr& shape() const { return shape_; }

 private:
  // Groups that follow one another, in a piece as in the whole.
  struct Segment {
    std::uint32_t group = 0;
    std::uint32_t count = 0;
  };
  struct Part {  // Of a piece; it ends where the next one begins.
    std::uint32_t first_run = 0;
    std::uint32_t first_segment = 0;
    std::uint32_t first_sum = 0;
  };
  struct State {
    std::uint64_t written = 0;
    Timestamp from{};  // The window.
    Timestamp upto{};
    std::size_t samples = 0;
  };

  void lay_out(std::span<const Piece> pieces, const Rows& rows, std::size_t groups);
  void add_part(std::span<const std::uint32_t> groups, std::vector<std::uint32_t>& number_of);
  void read_stale(Context& context, RowStream& stream);
  void read(std::size_t index, const Piece& piece, Context& context, RowStream& stream);
  void add_up(std::span<double> out);

  ShapePtr shape_;
  std::vector<Part> parts_;     // By piece, and an end.
  std::vector<GroupRun> runs_;  // Of the pieces' rows, by the number of the group in the piece.
  std::vector<Segment> segments_;
  std::vector<State> states_;         // By piece.
  GroupSums kept_;                    // Of each piece, those of its groups.
  std::vector<std::uint32_t> stale_;  // Pieces.
  GroupSums total_;
  StreamedRows read_;
};

}  // namespace tocsin::promql
