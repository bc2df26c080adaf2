// SPDX-License-Identifier: Apache-2.0
//
// The ends of windows, one by one.
#pragma once

#include <span>
#include <vector>

#include "tocsin/series_reader.h"

namespace tocsin::store {

inline std::vector<WindowEnds> ends_of(const SeriesReader& reader, std::span<const SeriesId> ids,
                                       Timestamp after, Timestamp upto) {
  std::vector<WindowEnds> out;
  EndsBatch batch;
  const std::vector<RowRun> runs = reader.runs_of(ids);
  const auto window = reader.window(runs.size(), after, upto);
  for (std::size_t read = 0; read < runs.size();) {
    read += window->read_ends(std::span(runs).subspan(read), batch);
    const std::size_t begin = out.size();
    for (const auto& [first, last, count] : batch.pieces) {
      for (std::size_t i = 0; i < count; ++i) {
        out.push_back({batch.first_ms, batch.last_ms, first[i], last[i], 0, batch.count});
      }
    }
    out.resize(begin + batch.rows);
    for (const EndsBatch::Other& other : batch.others) out[begin + other.row] = other.ends;
  }
  return out;
}

}  // namespace tocsin::store
