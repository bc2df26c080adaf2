// SPDX-License-Identifier: Apache-2.0
//
// Shapes: which rows travel between the nodes of a plan, and with which labels. A shape is shared
// and does not change; when a few series come or go, the next one is made from it, shares most of
// its memory, and says which rows are others. What was derived from a shape (Memo) is then mended
// and not made anew.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tocsin/labels.h"

namespace tocsin::promql {

struct ShapeRow {
  Labels labels;
  bool drop_name = false;
};

// A sequence of rows. Copies share what neither of them changes.
class ShapeRows {
 public:
  class Iterator {
   public:
    Iterator(const ShapeRows& rows, std::size_t index) : rows_(&rows), index_(index) {}
    const ShapeRow& operator*() const { return (*rows_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const ShapeRows* rows_;
    std::size_t index_;
  };

  std::size_t size() const { return size_; }
  const ShapeRow& operator[](std::size_t index) const {
    return (*chunks_[index / kChunk])[index % kChunk];
  }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

  void push_back(ShapeRow row) {
    if (size_ % kChunk == 0) chunks_.push_back(std::make_shared<Chunk>());
    own(size_ / kChunk).push_back(std::move(row));
    ++size_;
  }

  void pop_back() {
    --size_;
    own(size_ / kChunk).pop_back();
    if (size_ % kChunk == 0) chunks_.pop_back();
  }

  // Replaces a row, or adds one at the end.
  void put(std::size_t index, ShapeRow row) {
    if (index == size_) return push_back(std::move(row));
    own(index / kChunk)[index % kChunk] = std::move(row);
  }

 private:
  using Chunk = std::vector<ShapeRow>;
  static constexpr std::size_t kChunk = 128;

  Chunk& own(std::size_t chunk) {
    std::shared_ptr<Chunk>& held = chunks_[chunk];
    if (held.use_count() > 1) held = std::make_shared<Chunk>(*held);
    return *held;
  }

  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::size_t size_ = 0;
};

struct Shape {
  ShapeRows rows;
  // The shape that this one follows, if there is one: these rows are others or new, in ascending
  // order, and all beyond the last row are gone.
  std::weak_ptr<const Shape> before;
  std::vector<std::uint32_t> changed;
};
using ShapePtr = std::shared_ptr<const Shape>;

// A value that was derived from a shape, kept until the shape changes.
template <class T>
class Memo {
 public:
  // `derive(const Shape&)` makes the value.
  template <class Derive>
  T& get(const ShapePtr& shape, Derive derive) {
    return get(shape, derive, [](T&, const Shape&) { return false; });
  }

  // `mend(T&, const Shape&)` makes it from that of the shape before, by the rows that have changed;
  // false if it is better derived anew.
  template <class Derive, class Mend>
  T& get(const ShapePtr& shape, Derive derive, Mend mend) {
    if (shape == shape_) return *value_;
    const bool follows = shape_ && shape->before.lock() == shape_;
    if (!follows || !mend(*value_, *shape)) value_ = derive(*shape);
    shape_ = shape;
    return *value_;
  }

 private:
  ShapePtr shape_;
  std::optional<T> value_;
};

// A shape that was derived from another row by row.
class RowwiseShape {
 public:
  // `derive(const ShapeRow&)` makes a row.
  template <class Derive>
  const ShapePtr& get(const ShapePtr& shape, Derive derive) {
    return memo_.get(
        shape,
        [&](const Shape& s) {
          auto out = std::make_shared<Shape>();
          for (const ShapeRow& row : s.rows) out->rows.push_back(derive(row));
          return ShapePtr(std::move(out));
        },
        [&](ShapePtr& value, const Shape& s) {
          auto out = std::make_shared<Shape>();
          out->rows = value->rows;
          while (out->rows.size() > s.rows.size()) out->rows.pop_back();
          for (const std::uint32_t row : s.changed) out->rows.put(row, derive(s.rows[row]));
          out->changed = s.changed;
          out->before = std::exchange(value, nullptr);
          value = std::move(out);
          return true;
        });
  }

 private:
  Memo<ShapePtr> memo_;
};

}  // namespace tocsin::promql
