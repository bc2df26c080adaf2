// SPDX-License-Identifier: Apache-2.0
//
// A Tape is told of everything that is written into a store, in the order in which it is, so that
// the same can be written into another store later: that one then answers as this one did. What
// rules make of it is left out (BlockOptions::origin): whoever writes it again has the rules.
// Native histograms are left out, too.
//
// Called under the store's write lock, by whoever writes: any thread, one at a time.
#pragma once

#include <span>

#include "tocsin/store.h"

namespace tocsin::store {

class Tape {
 public:
  virtual ~Tape() = default;

  virtual void add_block(BlockId block, const BlockOptions& options) = 0;
  virtual void remove_block(BlockId block) = 0;
  // An id may have been given to another series before.
  virtual void add_series(BlockId block, SeriesId id, const Labels& labels, bool counter) = 0;

  // As Store's functions of the same names.
  virtual void append_column(BlockId block, Timestamp at, std::span<const SeriesId> ids,
                             std::span<const double> values, bool restarted) = 0;
  virtual void append_stale(BlockId block, Timestamp at) = 0;
  virtual void append_sample(BlockId block, SeriesId id, Timestamp at, double value) = 0;
};

}  // namespace tocsin::store
