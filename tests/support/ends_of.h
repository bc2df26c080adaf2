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
  while (out.size() < ids.size()) {
    reader.read_ends(ids.subspan(out.size()), after, upto, batch);
    const std::size_t begin = out.size();
    for (std::size_t i = 0; i < batch.rows; ++i) {
      out.push_back({batch.first_ms, batch.last_ms, batch.first[i], batch.last[i], 0, batch.count});
    }
    for (const EndsBatch::Other& other : batch.others) out[begin + other.row] = other.ends;
  }
  return out;
}

}  // namespace tocsin::store
